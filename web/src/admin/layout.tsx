import { Link, Outlet } from '@tanstack/react-router'
import { Blocks, Building2, CalendarOff, CheckCheck, CircleUser, Coins, HardDrive, Hash, HeartPulse, History, KeyRound, ListTodo, Monitor, Network, ShieldCheck, SlidersHorizontal, SquarePen, Table2, TextCursorInput, Users, Workflow } from 'lucide-react'
import { Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useManages, useSession } from '@/api/session'
import { Skeleton } from '@/ui/basics'

const GROUPS = [
  // The last say whether only those who manage the company have them, or who runs the server.
  ['settings.me', [['/settings/profile', 'settings.profile', CircleUser, false], ['/settings/security', 'settings.security', KeyRound, false], ['/settings/sessions', 'settings.sessions', Monitor, false], ['/settings/tokens', 'settings.tokens', SquarePen, false], ['/settings/absence', 'settings.absence', CalendarOff, false]]],
  ['settings.company', [['/settings/organization', 'settings.organization', Building2, true], ['/settings/workspaces', 'settings.workspaces', Blocks, true], ['/settings/general', 'settings.general', SlidersHorizontal, true], ['/settings/members', 'settings.members', Users, false], ['/settings/teams', 'settings.teams', Network, false], ['/settings/roles', 'settings.roles', ShieldCheck, true], ['/settings/fields', 'settings.fields', TextCursorInput, true], ['/settings/tables', 'settings.tables', Table2, true], ['/settings/approvals', 'settings.approvals', CheckCheck, true], ['/settings/automations', 'settings.automations', Workflow, true], ['/settings/numbers', 'settings.numbers', Hash, true], ['/settings/currencies', 'settings.currencies', Coins, true], ['/settings/audit', 'settings.audit', History, true], ['/settings/jobs', 'settings.jobs', ListTodo, true], ['/settings/files', 'settings.files', HardDrive, true]]],
  ['settings.server', [['/settings/system', 'settings.system', HeartPulse, 'operator']]],
] as const

export function SettingsLayout() {
  const { t } = useTranslation()
  const manages = useManages()
  const operates = !!useSession().me?.user.is_operator
  const mine = (who: boolean | 'operator') => (who === 'operator' ? operates : manages || !who)
  return (
    <div className="flex-1 min-h-0 flex max-md:flex-col">
      <nav aria-label={t('settings.title')} className="w-[208px] flex-none border-e border-line p-2.5 overflow-auto max-md:w-full max-md:border-e-0 max-md:border-b max-md:flex max-md:flex-none">
        {GROUPS.filter(([, links]) => links.some((l) => mine(l[3]))).map(([group, links]) => (
          <div key={group} className="mb-3 max-md:flex max-md:mb-0">
            <div className="menu-label max-md:hidden">{t(group)}</div>
            {links.filter((l) => mine(l[3])).map(([to, label, Icon]) => (
              <Link key={to} to={to} search={{}} className="item no-underline text-fg whitespace-nowrap" activeProps={{ className: 'bg-hover font-medium', 'aria-current': 'page' }}><Icon size={15} className="text-muted" aria-hidden="true" /><span className="truncate">{t(label)}</span></Link>
            ))}
          </div>
        ))}
      </nav>
      <div className="flex-1 min-w-0 overflow-auto"><Suspense fallback={<Skeleton />}><Outlet /></Suspense></div>
    </div>
  )
}

export function Section({ title, text, children, actions, wide }: { title: string; text?: string; children: React.ReactNode; actions?: React.ReactNode; wide?: boolean }) {
  useEffect(() => { document.title = `${title} · Fondaco` }, [title])
  return (
    <div className="px-7 py-5 max-md:px-4" style={{ maxWidth: wide ? undefined : 860 }}>
      <div className="flex items-start gap-3 mb-4">
        <div className="flex-1"><h1 className="text-lg font-semibold m-0">{title}</h1>{text && <p className="text-muted m-0 mt-1 max-w-[70ch]">{text}</p>}</div>
        {actions}
      </div>
      {children}
    </div>
  )
}
