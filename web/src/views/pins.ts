import { patch } from '@/api/http'
import { meQuery, queryClient, type Me } from '@/api/session'

const MOST = 30
export const pinsOf = (me: Me | null | undefined): string[] => me?.user.preferences?.pins?.[me.organization?.id ?? ''] ?? []

/** Puts a view into one's sidebar, or takes it out; each company has its own. */
export async function pin(id: string, on: boolean): Promise<void> {
  const me = queryClient.getQueryData<Me | null>(meQuery.queryKey)
  if (!me?.organization) return
  const rest = pinsOf(me).filter((x) => x !== id)
  const pins = { ...me.user.preferences?.pins, [me.organization.id]: on ? [...rest, id].slice(-MOST) : rest }
  await patch('/me', { preferences: { pins } })
  queryClient.setQueryData<Me | null>(meQuery.queryKey, (m) => (m ? { ...m, user: { ...m.user, preferences: { ...m.user.preferences, pins } } } : m))
}
