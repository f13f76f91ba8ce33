import { get, post } from '@/api/http'
import { queryClient } from '@/api/session'

export interface Comment {
  id: string; parent_id: string | null; body: string | null; mentions: string[]; reactions: Record<string, string[]>
  created_by: string | null; author: string | null; created_at: string; edited_at: string | null; deleted: boolean; version: number
}
/** What was said about a record, and until when the person has read it. */
export interface Said { data: Comment[]; seen_at?: string | null }

export const commentsQuery = (entity: string, id: string) => ({ queryKey: ['comments', entity, id], staleTime: 30_000, queryFn: () => get<Said>('/comments', { entity, record: id }) })

export const unseen = (said: Said, own: string | undefined): Comment[] =>
  said.seen_at === undefined ? [] : said.data.filter((c) => !c.deleted && c.created_by !== own && (!said.seen_at || Date.parse(c.created_at) > Date.parse(said.seen_at)))

export async function markSeen(entity: string, id: string): Promise<void> {
  try {
    const { seen_at } = await post<{ seen_at: string }>('/comments/seen', { entity, record: id })
    queryClient.setQueryData<Said>(commentsQuery(entity, id).queryKey, (old) => (old ? { ...old, seen_at } : old))
    void queryClient.invalidateQueries({ queryKey: ['talk', entity] })
  } catch { /* it is only a mark: the next look sets it */ }
}
