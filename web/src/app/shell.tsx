import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { ChevronRight, ChevronsUpDown, CircleHelp, KeyRound, LogOut, Menu as MenuIcon, Monitor, Moon, Plus, Search, Sun, UserRound } from 'lucide-react'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { beginSession, messageOf, patch, post } from '@/api/http'
import { useOwnPicture } from '@/api/people'
import { fullName, meQuery, queryClient, switchOrganization, useSession } from '@/api/session'
import { changeLanguage, languages, withWords } from '@/i18n'
import { MOD, useKeys } from '@/lib/keys'
import { applyTheme, savedTheme, type Theme } from '@/lib/theme'
import { undoLast } from '@/lib/undo'
import { prefetchEntity, useMenu, useMeta } from '@/meta/hooks'
import { Avatar, Failure, Menu, Skeleton, type MenuEntry } from '@/ui/basics'
import { EntityIcon } from '@/ui/icon'
import { pinsOf } from '@/views/pins'
import { LANGUAGE_NAMES } from '@/ui/languages'
import { Bell } from './bell'

const Watch = lazy(() => withWords(() => import('./watch')))
const Pins = lazy(() => withWords(() => import('./pins')))
const MessagesLink = lazy(() => withWords(() => import('@/messages/link')))
const Palette = lazy(() => withWords(() => import('./palette')))
const Tray = lazy(() => withWords(() => import('./tray')))
const Cheatsheet = lazy(() => withWords(() => import('./cheatsheet')))

/** What was not sent yet is lost with the session: that is asked first. */
const mayLeave = (go: () => void): boolean => dispatchEvent(new CustomEvent('fondaco:leave', { cancelable: true, detail: go }))

function OrganizationSwitcher() {
  const { t } = useTranslation()
  const { me } = useSession()
  const navigate = useNavigate()
  const go = async (id: string) => {
    if (id === me?.organization?.id) return
    if (mayLeave(() => void go(id))) try { await switchOrganization(id) } catch (e) { toast.error(messageOf(e)) }
  }
  const items: MenuEntry[] = [
    { heading: t('organizations') },
    ...(me?.organizations ?? []).map((o) => ({ label: o.name, checked: o.id === me?.organization?.id, onSelect: () => void go(o.id) })),
    'rule',
    { label: t('onboarding.new'), icon: <Plus size={15} />, onSelect: () => void navigate({ to: '/onboarding', search: {} }) },
  ]
  const name = me?.organization?.name ?? ''
  return (
    <Menu width={214} items={items} trigger={
      <button type="button" className="item" style={{ height: 34 }} aria-label={t('switchOrganization', { name })}>
        <span className="mark" aria-hidden="true" data-i={name.slice(0, 1).toUpperCase()} />
        <span className="flex-1 truncate font-semibold">{name}</span><ChevronsUpDown size={14} className="text-muted" aria-hidden="true" />
      </button>} />
  )
}

function UserMenu() {
  const { t, i18n } = useTranslation()
  const { me } = useSession()
  const navigate = useNavigate()
  const [theme, setTheme] = useState<Theme>(savedTheme())
  const prefer = async (changes: { theme?: Theme; locale?: string }) => {
    try { await patch('/me', changes); await queryClient.invalidateQueries({ queryKey: ['me'] }) } catch (e) { toast.error(messageOf(e)) }
  }
  const pickTheme = (x: Theme) => { applyTheme(x); setTheme(x); void prefer({ theme: x }) }
  const pickLanguage = async (l: string) => { await changeLanguage(l); await prefer({ locale: l }); await queryClient.invalidateQueries() }
  const picture = useOwnPicture()
  const leave = async () => {
    if (!mayLeave(() => void leave())) return
    try { await post('/auth/logout') } catch { /* the session may be gone already */ }
    beginSession()
    queryClient.clear()
    queryClient.setQueryData(meQuery.queryKey, null)
    await navigate({ to: '/login', search: {} })
  }
  if (!me) return null
  const name = fullName(me.user)
  return (
    <Menu width={224} items={[
      { heading: me.user.email },
      { label: t('settings.profile'), icon: <UserRound size={15} />, onSelect: () => void navigate({ to: '/settings/profile' }) },
      { label: t('settings.sessions'), icon: <Monitor size={15} />, onSelect: () => void navigate({ to: '/settings/sessions' }) },
      { label: t('settings.security'), icon: <KeyRound size={15} />, onSelect: () => void navigate({ to: '/settings/security' }) },
      'rule', { heading: t('theme.title') },
      ...(['light', 'dark', 'system'] as const).map((x) => ({ label: t(`theme.${x}`), checked: theme === x, icon: x === 'light' ? <Sun size={15} /> : x === 'dark' ? <Moon size={15} /> : <Monitor size={15} />, onSelect: () => pickTheme(x) })),
      'rule', { heading: t('language') },
      ...languages.map((l) => ({ label: LANGUAGE_NAMES[l] ?? l, checked: i18n.language === l, onSelect: () => void pickLanguage(l) })),
      'rule',
      { label: t('shortcuts.title'), icon: <CircleHelp size={15} />, hint: '?', onSelect: () => dispatchEvent(new CustomEvent('fondaco:cheatsheet')) },
      { label: t('logout'), icon: <LogOut size={15} />, onSelect: () => void leave() },
    ]} trigger={
      <button type="button" className="item flex-1 min-w-0" style={{ height: 36 }} aria-label={t('userMenu', { name })}><Avatar name={name} size={22} src={picture} /><span className="truncate font-medium">{name}</span></button>} />
  )
}

function Sidebar({ onNavigate }: { onNavigate: () => void }) {
  const { t } = useTranslation()
  const { data: meta, isPending, error, refetch } = useMeta()
  const menu = useMenu()
  const pins = pinsOf(useSession().me)
  const params = useParams({ strict: false }) as { entity?: string }
  const current = params.entity ? meta?.entities[params.entity]?.part_of ?? params.entity : undefined
  const few = menu.reduce((n, m) => n + m.entities.length, 0) <= 24
  const [open, setOpen] = useState<Record<string, boolean>>(() => { try { return JSON.parse(localStorage.getItem('menu') ?? '{}') } catch { return {} } })
  const toggle = (name: string, now: boolean) => { const next = { ...open, [name]: !now }; setOpen(next); localStorage.setItem('menu', JSON.stringify(next)) }
  return (
    <nav aria-label={t('mainMenu')} className="flex-1 overflow-auto px-2 pb-3" style={{ scrollbarWidth: 'thin' }}>
      <SideLink to="/" icon="house" onNavigate={onNavigate}>{t('home')}</SideLink>
      <SideLink to="/inbox" icon="inbox" onNavigate={onNavigate}>{t('inbox.title')}</SideLink>
      <SideLink to="/approvals" icon="badge-check" onNavigate={onNavigate}>{t('approvals.title')}</SideLink>
      <Suspense fallback={null}><MessagesLink onNavigate={onNavigate} /></Suspense>
      {!!meta?.reports?.length && <SideLink to="/reports" icon="chart-bar" onNavigate={onNavigate}>{t('reports.title')}</SideLink>}
      {pins.length > 0 && <Suspense fallback={null}><Pins ids={pins} onNavigate={onNavigate} /></Suspense>}
      {isPending && <Skeleton rows={8} />}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {menu.map((m, i) => {
        const holds = m.entities.some((e) => e.name === current)
        const shown = open[m.name] ?? (few || holds || (!current && i < 3))
        return (
          <div key={m.name} className="mt-2.5">
            <button type="button" className="flex items-center w-full border-0 bg-transparent px-2 h-6 text-2xs font-semibold text-faint gap-1 rounded hover:text-fg" aria-expanded={shown} onClick={() => toggle(m.name, shown)}>
              <span className="truncate">{m.title}</span><ChevronRight size={12} aria-hidden="true" style={{ transform: shown ? 'rotate(90deg)' : undefined }} className="rtl:scale-x-[-1]" />
            </button>
            {shown && m.entities.map((e) => {
              return (
                <Link key={e.name} to={e.page ?? '/o/$entity'} params={{ entity: e.name }} search={{}} onClick={onNavigate} onMouseEnter={() => prefetchEntity(e.name)} aria-current={e.name === current ? 'page' : undefined}
                  className={clsx('item no-underline text-fg', e.name === current && 'bg-hover font-medium')}><EntityIcon name={e.icon ?? m.icon} className="text-muted" /><span className="truncate">{e.plural || e.label}</span></Link>
              )
            })}
          </div>
        )
      })}
      <div className="mt-2.5"><SideLink to="/settings" icon="settings" onNavigate={onNavigate}>{t('settings.title')}</SideLink></div>
    </nav>
  )
}

function SideLink({ to, icon, children, onNavigate }: { to: '/' | '/inbox' | '/approvals' | '/reports' | '/settings'; icon: string; children: string; onNavigate: () => void }) {
  const path = useRouterState({ select: (s) => s.location.pathname })
  const on = to === '/' ? path === '/' : path.startsWith(to)
  return <Link to={to} onClick={onNavigate} aria-current={on ? 'page' : undefined} className={clsx('item no-underline text-fg', on && 'bg-hover font-medium')}><EntityIcon name={icon} className="text-muted" />{children}</Link>
}

export function Shell() {
  const { t } = useTranslation()
  const { me } = useSession()
  const [palette, setPalette] = useState(false)
  const [sheet, setSheet] = useState(false)
  const [drawer, setDrawer] = useState(false)
  useEffect(() => { const timer = setTimeout(() => void import('./palette'), 1500); return () => clearTimeout(timer) }, [])
  useKeys({ 'mod+k': () => setPalette((o) => !o), '?': () => setSheet(true), 'mod+z': () => undoLast() })
  useEffect(() => {
    const f = () => setSheet(true)
    addEventListener('fondaco:cheatsheet', f)
    return () => removeEventListener('fondaco:cheatsheet', f)
  }, [])
  // The organization may have been switched in another tab: what is shown must be the one the session is in.
  useQuery({ ...meQuery, refetchOnWindowFocus: 'always' })
  const organization = me?.organization?.id
  const first = useRef(organization)
  useEffect(() => { if (organization && first.current && organization !== first.current) location.assign('/') }, [organization])
  const top = (
    <button type="button" className="flex items-center gap-2 h-[30px] px-2.5 rounded-md border border-line-strong bg-surface text-muted w-full" onClick={() => setPalette(true)}>
      <Search size={14} aria-hidden="true" /><span className="flex-1 text-start truncate">{t('palette.button')}</span><kbd className="kbd">{MOD}K</kbd>
    </button>
  )
  return (
    <div className="h-full flex">
      <a href="#main" className="visually-hidden focus:not-sr-only">{t('skip')}</a>
      {drawer && <button type="button" className="overlay md:hidden border-0" style={{ padding: 0, zIndex: 40 }} aria-label={t('close')} onClick={() => setDrawer(false)} />}
      <aside aria-label={t('sidebar')} className={clsx('w-[232px] flex-none flex flex-col bg-bg no-print max-md:fixed max-md:inset-y-0 max-md:start-0 max-md:z-50 max-md:w-[270px] max-md:border-e max-md:border-line', !drawer && 'max-md:hidden')}>
        <div className="p-2 pb-1.5 space-y-2"><OrganizationSwitcher />{top}</div>
        <Sidebar onNavigate={() => setDrawer(false)} />
        <div className="flex items-center gap-1 border-t border-line p-2"><UserMenu /><Suspense fallback={null}><Tray /></Suspense><Bell /></div>
      </aside>
      <div className="flex-1 min-w-0 flex flex-col md:p-2 md:ps-0">
        <header className="md:hidden flex items-center gap-2 h-11 px-2 border-b border-line bg-bg no-print">
          <button type="button" className="btn ghost icon" aria-label={t('menu')} onClick={() => setDrawer(true)}><MenuIcon size={18} /></button>
          <span className="flex-1 font-semibold truncate">{me?.organization?.name}</span>
          <button type="button" className="btn ghost icon" aria-label={t('palette.button')} onClick={() => setPalette(true)}><Search size={17} /></button>
        </header>
        <Suspense fallback={null}><Watch /></Suspense>
        <main id="main" className="flex-1 min-h-0 min-w-0 bg-surface md:border md:border-line md:rounded-lg overflow-hidden flex flex-col relative"><Suspense fallback={<Skeleton />}><Outlet /></Suspense></main>
      </div>
      <Suspense fallback={null}>
        {palette && <Palette onClose={() => setPalette(false)} />}
        {sheet && <Cheatsheet onClose={() => setSheet(false)} />}
      </Suspense>
    </div>
  )
}
