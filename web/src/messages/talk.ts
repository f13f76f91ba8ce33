import { get } from '@/api/http'
import type { StoredFile } from '@/api/files'
import { instantToLocal } from '@/lib/format'

export interface Named { id: string; name: string }
export interface Member extends Named { keeper: boolean; read_number: number; read_at: string | null }
export interface Conversation {
  id: string; kind: 'direct' | 'group' | 'channel'; name: string | null; open: boolean; archived: boolean; last_number: number; last_at: string
  read_number: number; unread: number; muted: boolean; keeper: boolean; count: number; people: Named[]; members?: Member[]
  last: { author: string | null; by: string | null; body: string; deleted: boolean } | null
}
export interface Message {
  id: string; conversation_id: string; number: number; parent_id: string | null; parent: { number: number; author: string | null; body: string; deleted: boolean } | null; answers: number
  body: string | null; mentions: string[]; reactions: Record<string, string[]>; created_by: string | null; author: string | null; created_at: string; edited_at: string | null; deleted: boolean
  files: Pick<StoredFile, 'id' | 'name' | 'type' | 'size'>[]
}
export interface Conversations { data: Conversation[]; next: string | null; unread: number }
export interface Messages { data: Message[]; more: boolean }

/** How many conversations have something new, for the sidebar: the first page knows. */
export const countQuery = { queryKey: ['conversations', 'count'], staleTime: 30_000, retry: false, queryFn: () => get<Conversations>('/conversations').then((r) => r.unread) }
export const conversationQuery = (id: string) => ({ queryKey: ['conversation', id], staleTime: 30_000, queryFn: () => get<Conversation>(`/conversations/${id}`) })

/** What a conversation is called: its name, or who else is in it. */
export const nameOf = (c: Pick<Conversation, 'name' | 'people' | 'count'>, alone: string): string => {
  if (c.name) return c.name
  const names = c.people.map((p) => p.name).join(', ')
  const rest = c.count - 1 - c.people.length
  return names ? (rest > 0 ? `${names} +${rest}` : names) : alone
}

/** On its way to the server, or refused by it. The id is the message's own: sent twice it is one message. */
export interface Unsent { id: string; body: string; mentions: Named[]; parent: Message['parent'] & { id: string } | null; files: Message['files']; at: string; error?: string }
export interface Draft { text: string; mentions: Named[]; files: Message['files']; parent: Unsent['parent'] }
export const NOTHING: Draft = { text: '', mentions: [], files: [], parent: null }
export const isNothing = (d: Draft): boolean => !d.text && !d.files.length && !d.parent

/** What was begun, and what could not be sent, outlives the page: for each person and conversation. */
function kept<T>(what: string, empty: T): { load: (key: string) => T; store: (key: string, value: T | null) => void } {
  return {
    load: (key) => { try { return (JSON.parse(localStorage.getItem(`${what}:${key}`) ?? 'null') as T | null) ?? empty } catch { return empty } },
    store: (key, value) => { try { if (value === null) localStorage.removeItem(`${what}:${key}`); else localStorage.setItem(`${what}:${key}`, JSON.stringify(value)) } catch { /* private mode */ } },
  }
}
export const drafts = kept<Draft>('draft', NOTHING)
export const unsents = kept<Unsent[]>('unsent', [])

export type Line = { kind: 'day'; key: string; at: string } | { kind: 'new'; key: string } | { kind: 'message'; key: string; message: Message; follows: boolean } | { kind: 'unsent'; key: string; unsent: Unsent }

const CLOSE = 5 * 60_000
/** Messages with their days between them and a mark before the first that is new; one that follows its author's last within minutes goes without his name. */
export function linesOf(messages: Message[], unsent: Unsent[], zone: string, newFrom: number | null, own: string | undefined): Line[] {
  const lines: Line[] = []
  let day = ''
  let marked = false
  let last: Message | undefined
  for (const m of messages) {
    const on = instantToLocal(m.created_at, zone).slice(0, 10)
    const turned = on !== day
    if (turned) { lines.push({ kind: 'day', key: on, at: m.created_at }); day = on }
    const fresh = !marked && newFrom !== null && m.number >= newFrom && m.created_by !== own
    if (fresh) { lines.push({ kind: 'new', key: 'new' }); marked = true }
    const follows = !turned && !fresh && !!last && !last.deleted && last.created_by === m.created_by && !m.parent_id && Date.parse(m.created_at) - Date.parse(last.created_at) < CLOSE
    lines.push({ kind: 'message', key: m.id, message: m, follows })
    last = m
  }
  const there = new Set(messages.map((m) => m.id))
  for (const u of unsent) if (!there.has(u.id)) lines.push({ kind: 'unsent', key: u.id, unsent: u })
  return lines
}

/** Who of the others has read up to a message. */
export const readers = (members: Member[], number: number, own: string | undefined): Member[] => members.filter((m) => m.id !== own && m.read_number >= number)
