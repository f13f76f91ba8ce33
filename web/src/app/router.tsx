import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { meQuery, queryClient } from '@/api/session'
import { withWords } from '@/i18n'
import { wanted } from '@/lib/toast'
import { readTableSearch } from '@/views/state'
import { NotFound, RouteError } from './errors'
import type { Place as Queue } from '@/approvals/data'
import { PLACES, type Place } from './news'

const Toasts = lazy(() => import('./toasts'))

function Root() {
  const [toasts, setToasts] = useState(false)
  useEffect(() => void wanted.then(() => setToasts(true)), [])
  return (
    <>
      <Outlet />
      <Suspense fallback={null}>{toasts && <Toasts />}</Suspense>
    </>
  )
}
const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: RouteError })

const str = (v: unknown): string | undefined => (v === undefined || v === null || v === '' ? undefined : String(v))
/** An address may say this one thing. */
const one = <K extends string>(key: K) => (s: Record<string, unknown>): { [P in K]?: string } => (str(s[key]) ? { [key]: str(s[key])! } : {}) as { [P in K]?: string }

// ---- before signing in ----------------------------------------------------------------------------------------------
const page = (name: 'Login' | 'Register' | 'Verify' | 'Forgot' | 'Reset' | 'Accept' | 'ConfirmEmail' | 'Onboarding') => lazyRouteComponent(() => withWords(() => import('@/auth/pages')), name)
const authSearch = (s: Record<string, unknown>): { email?: string; code?: string; next?: string } => {
  const out: { email?: string; code?: string; next?: string } = {}
  if (str(s.email)) out.email = str(s.email)!
  if (str(s.code)) out.code = str(s.code)!
  const next = str(s.next)
  // Only a path of ours: never a way to somebody else's site.
  if (next && /^\/(?![/\\])/.test(next)) out.next = next
  return out
}
const login = createRoute({ getParentRoute: () => root, path: '/login', component: page('Login'), validateSearch: authSearch })
const register = createRoute({ getParentRoute: () => root, path: '/register', component: page('Register'), validateSearch: authSearch })
const verify = createRoute({ getParentRoute: () => root, path: '/verify', component: page('Verify'), validateSearch: authSearch })
const forgot = createRoute({ getParentRoute: () => root, path: '/forgot', component: page('Forgot'), validateSearch: authSearch })
const reset = createRoute({ getParentRoute: () => root, path: '/reset', component: page('Reset'), validateSearch: authSearch })
const confirmEmail = createRoute({ getParentRoute: () => root, path: '/confirm-email', component: page('ConfirmEmail'), validateSearch: authSearch })
const accept = createRoute({ getParentRoute: () => root, path: '/accept', component: page('Accept'), validateSearch: authSearch })
const shared = createRoute({ getParentRoute: () => root, path: '/s/$token', component: lazyRouteComponent(() => withWords(() => import('@/public/shared')), 'SharedPage') })

const onboarding = createRoute({
  getParentRoute: () => root, path: '/onboarding', component: page('Onboarding'), validateSearch: authSearch,
  beforeLoad: async () => { if (!(await queryClient.ensureQueryData(meQuery))) throw redirect({ to: '/login', search: {} }) },
})

// ---- the house itself -----------------------------------------------------------------------------------------------
const house = createRoute({
  getParentRoute: () => root, id: 'house',
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(meQuery)
    if (!me) throw redirect({ to: '/login', search: location.href === '/' ? {} : { next: location.href } })
    if (!me.organization) throw redirect({ to: '/onboarding', search: {} })
  },
  component: lazyRouteComponent(() => import('./shell'), 'Shell'),
})
// In the address an entity's dot is a dash: a path that ends in ".orders" looks like a file to servers on the way.
const ofEntity = { parse: (p: { entity: string }) => ({ entity: p.entity.replace('-', '.') }), stringify: (p: { entity: string }) => ({ entity: p.entity.replace('.', '-') }) }
const ofRecord = { parse: (p: { entity: string; id: string }) => ({ ...ofEntity.parse(p), id: p.id }), stringify: (p: { entity: string; id: string }) => ({ ...ofEntity.stringify(p), id: p.id }) }
const home = createRoute({ getParentRoute: () => house, path: '/', component: lazyRouteComponent(() => withWords(() => import('./home')), 'Home') })
const objects = createRoute({ getParentRoute: () => house, path: '/o/$entity', params: ofEntity, component: lazyRouteComponent(() => import('@/views/object'), 'ObjectPage'), validateSearch: readTableSearch })
const record = createRoute({
  getParentRoute: () => house, path: '/o/$entity/r/$id', params: ofRecord, component: lazyRouteComponent(() => withWords(() => import('@/record/page')), 'RecordPage'),
  validateSearch: one('tab'),
})
const inbox = createRoute({
  getParentRoute: () => house, path: '/inbox', component: lazyRouteComponent(() => withWords(() => import('./inbox')), 'Inbox'),
  validateSearch: (s: Record<string, unknown>): { in?: Place } => (PLACES.includes(s.in as Place) ? { in: s.in as Place } : {}),
})
const approvals = createRoute({
  getParentRoute: () => house, path: '/approvals', component: lazyRouteComponent(() => withWords(() => import('@/approvals/page')), 'Approvals'),
  validateSearch: (s: Record<string, unknown>): { of?: Queue; id?: string } => ({ ...one('of')(s), ...one('id')(s) }) as { of?: Queue },
})
const messages = createRoute({ getParentRoute: () => house, path: '/messages/{-$id}', component: lazyRouteComponent(() => withWords(() => import('@/messages/page')), 'MessagesPage'), validateSearch: one('at') })
const importing = createRoute({
  getParentRoute: () => house, path: '/o/$entity/import', params: ofEntity, component: lazyRouteComponent(() => withWords(() => import('@/import/wizard')), 'ImportPage'),
  validateSearch: one('id'),
})
const wordly = (s: Record<string, unknown>): Record<string, string> => Object.fromEntries(Object.entries(s).flatMap(([k, v]) => (str(v) ? [[k, str(v)!]] : [])))
const worded = <T extends Record<string, () => React.JSX.Element | null | undefined>, K extends keyof T>(load: () => Promise<unknown>, name: K): ReturnType<typeof page> => lazyRouteComponent(() => withWords(load as () => Promise<T>), name as K & string)
const bank = createRoute({ getParentRoute: () => house, path: '/bank', component: worded(() => import('@/banking/page'), 'Bank'), validateSearch: one('account') })
const reports = createRoute({ getParentRoute: () => house, path: '/reports', component: worded(() => import('@/reports/list'), 'Reports') })
const report = createRoute({ getParentRoute: () => house, path: '/reports/$module/$name', component: worded(() => import('@/reports/viewer'), 'ReportPage'), validateSearch: wordly })
const settings = createRoute({ getParentRoute: () => house, path: '/settings', component: worded(() => import('@/admin/layout'), 'SettingsLayout') })
const settingsHome = createRoute({ getParentRoute: () => settings, path: '/', beforeLoad: () => { throw redirect({ to: '/settings/profile' }) } })
const profile = createRoute({ getParentRoute: () => settings, path: '/profile', component: worded(() => import('@/admin/profile'), 'Profile') })
const security = createRoute({ getParentRoute: () => settings, path: '/security', component: worded(() => import('@/admin/security'), 'Security') })
const sessions = createRoute({ getParentRoute: () => settings, path: '/sessions', component: worded(() => import('@/admin/security'), 'Sessions') })
const tokens = createRoute({ getParentRoute: () => settings, path: '/tokens', component: worded(() => import('@/admin/tokens'), 'Tokens') })
const workspaces = createRoute({ getParentRoute: () => settings, path: '/workspaces', component: worded(() => import('@/admin/workspaces'), 'Workspaces') })
const general = createRoute({ getParentRoute: () => settings, path: '/general', component: worded(() => import('@/admin/general'), 'General') })
const organization = createRoute({ getParentRoute: () => settings, path: '/organization', component: worded(() => import('@/admin/organization'), 'OrganizationSettings') })
const members = createRoute({ getParentRoute: () => settings, path: '/members', component: worded(() => import('@/admin/members'), 'Members') })
const teams = createRoute({ getParentRoute: () => settings, path: '/teams', component: worded(() => import('@/admin/teams'), 'Teams') })
const roles = createRoute({ getParentRoute: () => settings, path: '/roles', component: worded(() => import('@/admin/roles'), 'Roles'), validateSearch: one('role') })
const fields = createRoute({ getParentRoute: () => settings, path: '/fields', component: worded(() => import('@/admin/tables'), 'CustomFields'), validateSearch: one('entity') })
const tables = createRoute({ getParentRoute: () => settings, path: '/tables', component: worded(() => import('@/admin/tables'), 'Tables'), validateSearch: one('table') })
const audit = createRoute({
  getParentRoute: () => settings, path: '/audit', component: worded(() => import('@/admin/audit'), 'Audit'),
  validateSearch: (s: Record<string, unknown>): { entity?: string; actor?: string; record?: string; from?: string; to?: string } => wordly({ entity: s.entity, actor: s.actor, record: s.record, from: s.from, to: s.to }),
})

const jobs = createRoute({ getParentRoute: () => settings, path: '/jobs', component: worded(() => import('@/admin/jobs'), 'Jobs'), validateSearch: one('state') })
const numbers = createRoute({ getParentRoute: () => settings, path: '/numbers', component: worded(() => import('@/admin/numbers'), 'Numbers') })
const approvalRules = createRoute({ getParentRoute: () => settings, path: '/approvals', component: worded(() => import('@/admin/approval-rules'), 'ApprovalRules') })
const automations = createRoute({ getParentRoute: () => settings, path: '/automations', component: worded(() => import('@/triggers/page'), 'Automations'), validateSearch: wordly })
const absence = createRoute({ getParentRoute: () => settings, path: '/absence', component: worded(() => import('@/admin/absence'), 'Absence') })
const currencies = createRoute({ getParentRoute: () => settings, path: '/currencies', component: worded(() => import('@/admin/currencies'), 'Currencies') })
const storage = createRoute({ getParentRoute: () => settings, path: '/files', component: worded(() => import('@/admin/storage'), 'Storage'), validateSearch: one('sort') })
const system = createRoute({ getParentRoute: () => settings, path: '/system', component: worded(() => import('@/admin/system'), 'SystemHealth') })

const tree = root.addChildren([
  login, register, verify, forgot, reset, accept, confirmEmail, shared, onboarding,
  house.addChildren([home, inbox, bank, reports, report, messages, approvals, objects, record, importing, settings.addChildren([settingsHome, profile, security, sessions, tokens, organization, workspaces, general, members, teams, roles, fields, tables, audit, jobs, storage, system, numbers, approvalRules, automations, absence, currencies])]),
])
export const router = createRouter({ routeTree: tree, defaultPreload: 'intent', defaultPendingMs: 300, scrollRestoration: false })

declare module '@tanstack/react-router' {
  interface Register { router: typeof router }
}
