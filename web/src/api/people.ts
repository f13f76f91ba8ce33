import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get, Problem, url } from './http'
import { fullName, useSession } from './session'

export interface WorkspaceRole { role: string; workspace_id: string; valid_from: string | null; valid_to: string | null }
export interface Member { id: string; user_id: string | null; email: string; first_name: string; last_name: string; status: string; roles: string[]; manager_id?: string | null; joined_at?: string | null; picture?: boolean; workspace_roles?: WorkspaceRole[] }
/** A colleague as records name one: by membership. The account behind it is known too. */
export interface Person { id: string; user: string | null; name: string; email: string; picture: string | undefined }

export interface Profile { id: string; title: string; phone: string; bio: string; skills: string[]; visibility: Record<string, 'self' | 'organization'>; picture: boolean }
export const profileQuery = { queryKey: ['profile'], staleTime: Infinity, queryFn: () => get<Profile>('/me/profile') }
/** Pictures are asked for only where it is said that there is one. */
export function useOwnPicture(): string | undefined {
  const { data, dataUpdatedAt } = useQuery(profileQuery)
  return data?.picture ? url(`/people/${data.id}/picture`, { v: dataUpdatedAt }) : undefined
}

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
  const own = useOwnPicture()
  return useMemo(() => {
    const all: Person[] = (data ?? []).map((m) => ({ id: m.id, user: m.user_id, name: fullName(m), email: m.email, picture: m.user_id && m.user_id === me?.user.id ? own : m.picture && m.user_id ? url(`/people/${m.user_id}/picture`) : undefined }))
    if (me && !all.some((p) => p.user === me.user.id)) all.push({ id: me.user.id, user: me.user.id, name: fullName(me.user), email: me.user.email, picture: own })
    return all
  }, [data, me, own])
}
