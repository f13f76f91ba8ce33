import { get, patch, post } from '@/api/http'
import { queryClient } from '@/api/session'

export interface Notification {
  id: string; kind: string; title: string; body: string | null; entity: string | null; record_id: string | null
  created_at: string; read_at: string | null; done_at: string | null; snoozed_until: string | null; actor: { id: string; name: string | null } | null
}
export interface News { data: Notification[]; unread: number }
export const PLACES = ['inbox', 'unread', 'mentions', 'snoozed', 'done'] as const
export type Place = (typeof PLACES)[number]

/** What the bell tells. A put-off one comes back by the clock, so it is asked again by the minute. */
export const bellQuery = { queryKey: ['notifications', 'bell'], retry: false, staleTime: 30_000, refetchInterval: 60_000, queryFn: () => get<News>('/notifications', { state: 'inbox', limit: 8 }) }
export const renew = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['notifications'] })

export type State = 'read' | 'unread' | 'done' | 'inbox' | 'snoozed'
export const put = async (n: Notification, state: State, until?: string): Promise<void> => { await patch(`/notifications/${n.id}`, { state, ...(until ? { until } : {}) }); await renew() }
export const readAll = async (): Promise<void> => { await post('/notifications/read'); await renew() }

/** Whether it is put off still. */
export const isOff = (n: Notification): boolean => !!n.snoozed_until && Date.parse(n.snoozed_until) > Date.now()

/** Where a notification leads: words lead to the words. */
export const tabOf = (n: Notification): { tab?: string } => (['mention', 'reply', 'comment'].includes(n.kind) ? { tab: 'comments' } : {})
