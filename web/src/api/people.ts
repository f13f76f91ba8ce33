import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get, Problem } from './http'
import { fullName, useSession } from './session'

export interface Member { id: string; user_id: string | null; email: string; first_name: string; last_name: string; status: string; roles: string[]; joined_at?: string | null }
/** A colleague as records name one: by membership. The account behind it is known too. */
export interface Person { id: string; user: string | null; name: string; email: string }

export const membersQuery = { queryKey: ['members'], staleTime: 60_000, queryFn: () => get<{ data: Member[] }>('/members').then((r) => r.data) }

/** The colleagues' names. Whoever may not list members still sees their own. */
export function usePeople(): Person[] {
  const { me } = useSession()
  const { data } = useQuery({
    queryKey: ['people'], staleTime: 5 * 60_000, retry: false,
    queryFn: async () => {
      try { return await get<{ data: Member[] }>('/members').then((r) => r.data) } catch (e) { if (e instanceof Problem && e.status === 403) return []; throw e }
    },
  })
  return useMemo(() => {
    const all: Person[] = (data ?? []).map((m) => ({ id: m.id, user: m.user_id, name: fullName(m), email: m.email }))
    if (me && !all.some((p) => p.user === me.user.id)) all.push({ id: me.user.id, user: me.user.id, name: fullName(me.user), email: me.user.email })
    return all
  }, [data, me])
}
