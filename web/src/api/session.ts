import { QueryClient, useQuery } from '@tanstack/react-query'
import { changeLanguage } from '@/i18n'
import { applyTheme, savedTheme, type Theme } from '@/lib/theme'
import { beginSession, get, post, Problem } from './http'

export interface User { id: string; email: string; first_name: string; last_name: string; locale: string | null; time_zone: string | null; theme: Theme | null; registration_status: string; totp_enabled: boolean; is_operator?: boolean; preferences?: { notifications?: Record<string, { in_app?: boolean; email?: boolean }>; quiet?: { from: string; to: string } | null; digest?: string | null; pins?: Record<string, string[]> } }
export interface Organization { id: string; name: string; slug: string; currency: string; country: string; time_zone: string; language: string; plan: string; [key: string]: unknown }
/** As whom an administrator looks at the company; without a role there is nothing to be seen. */
export interface Viewing { role: { id: string; name: string; label: string } | null; workspace: { id: string; name: string } | null }
export interface Me { user: User; organization: Organization | null; organizations: { id: string; name: string }[]; roles: string[]; workspace: { id: string; name: string } | null; viewing?: Viewing | null }

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      // What the browser holds of the network is a guess; the answers kept for reading offline are asked for all the same.
      networkMode: 'always',
      refetchOnWindowFocus: true,
      retry: (count, e) => !(e instanceof Problem) && count < 2,
    },
  },
})

export const meQuery = {
  queryKey: ['me'],
  staleTime: 5 * 60_000,
  queryFn: async (): Promise<Me | null> => {
    try {
      const me = await get<Me>('/me')
      if (me.user.locale) await changeLanguage(me.user.locale)
      if (me.user.theme && me.user.theme !== savedTheme()) applyTheme(me.user.theme)
      return me
    } catch (e) {
      if (e instanceof Problem && e.status === 401) return null
      throw e
    }
  },
}

export function useSession(): { me: Me | null; loading: boolean } {
  const { data, isPending } = useQuery(meQuery)
  return { me: data ?? null, loading: isPending }
}

/** Members, roles, fields and the log are for owners and administrators; the server says so too. */
export const useManages = (): boolean => !!useSession().me?.roles.some((r) => r === 'owner' || r === 'admin')

/** After signing in, out or over to another organization nothing of the old one may stay in memory. */
export async function renewSession(): Promise<Me | null> {
  beginSession()
  await queryClient.cancelQueries()
  queryClient.clear()
  return queryClient.fetchQuery(meQuery)
}

export async function switchOrganization(id: string): Promise<void> {
  await post(`/organizations/${id}/activate`)
  // A whole new page: not a byte of the other company's data outlives the switch.
  location.assign('/')
}

export const fullName = (p: { first_name?: string | null; last_name?: string | null; name?: string | null; email?: string | null }): string =>
  p.name || [p.first_name, p.last_name].filter(Boolean).join(' ') || p.email || ''
