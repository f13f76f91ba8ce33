import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Circle, CircleCheck, Upload, UserPlus, X } from 'lucide-react'
import { useEffect, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { get, messageOf, post } from '@/api/http'
import * as records from '@/api/records'
import { queryClient, useManages, useSession } from '@/api/session'
import { formatNumber, useLocale } from '@/lib/format'
import { recents } from '@/lib/recent'
import { toast } from '@/lib/toast'
import { entityQuery, useMenu, useMeta, type MenuModule } from '@/meta/hooks'
import type { Entity, EntityIndex } from '@/meta/types'
import { Chip, Skeleton } from '@/ui/basics'
import { EntityIcon } from '@/ui/icon'

/** The front page counts no more kinds than this: it has to be there at once. */
const MOST = 24
type Counts = Record<string, number | undefined>

export function Home() {
  const { t } = useTranslation()
  const { me } = useSession()
  const { data: meta, isPending } = useMeta()
  const menu = useMenu()
  const names = menu.flatMap((m) => m.entities.map((e) => e.name)).slice(0, MOST)
  const answers = useQueries({ queries: names.map((n) => ({ queryKey: ['count', n, {}], staleTime: 20_000, retry: false, queryFn: () => records.list(n, { limit: 1, fields: 'id', count: 'exact' }).then((r) => r.count ?? null) })) })
  const counts: Counts = Object.fromEntries(names.map((n, i) => [n, answers[i]?.data?.value]))
  const last = recents().filter((r) => meta?.entities[r.entity])
  useEffect(() => { document.title = 'Fondaco' }, [])
  return (
    <div className="overflow-auto flex-1">
      <div className="max-w-[1080px] mx-auto px-6 py-7 max-md:px-4 max-md:py-5">
        <h1 className="text-xl font-semibold m-0">{t('greeting', { name: me?.user.first_name || me?.user.email })}</h1>
        <p className="text-muted mt-1 mb-6">{me?.organization?.name}</p>
        {isPending && <Skeleton />}
        {meta && <FirstSteps index={meta.entities} />}
        <Standing names={names} />
        {last.length > 0 && (
          <Part title={t('palette.recent')}>
            <ul className="list-none m-0 p-0 grid gap-x-6 -mx-2" style={{ gridTemplateColumns: 'repeat(auto-fill,minmax(240px,1fr))' }}>
              {last.slice(0, 9).map((r) => {
                const e = meta?.entities[r.entity]
                return <li key={r.id}><Link className="item no-underline text-fg" to="/o/$entity/r/$id" params={{ entity: r.entity, id: r.id }} search={{}}><EntityIcon name={e?.icon} size={15} className="text-muted" /><span className="truncate flex-1">{r.title}</span><span className="text-faint text-xs">{e?.label}</span></Link></li>
              })}
            </ul>
          </Part>
        )}
        {menu.length > 0 && <Part title={t('homePage.everything')}><Everything menu={menu} counts={counts} /></Part>}
      </div>
    </div>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <section className="mb-7"><h2 className="text-2xs font-semibold text-faint m-0 mb-2">{title}</h2>{children}</section>
}

interface Step { step: string; label: string; entity?: string | null; done: boolean; dismissed: boolean }
const stepsKey = ['onboarding']

/** A company is shown where to begin, until it has begun or asks to be left alone. */
function FirstSteps({ index }: { index: Record<string, EntityIndex> }) {
  const { t } = useTranslation()
  const manages = useManages()
  const { data } = useQuery({ queryKey: stepsKey, queryFn: () => get<{ data: Step[] }>('/onboarding').then((r) => r.data), staleTime: 20_000, retry: false, enabled: manages })
  const steps = (data ?? []).filter((s) => !s.dismissed)
  const open = steps.filter((s) => !s.done)
  if (open.length === 0) return null
  const hide = async (which: Step[]) => {
    queryClient.setQueryData<Step[]>(stepsKey, (all) => all?.map((s) => (which.includes(s) ? { ...s, dismissed: true } : s)))
    try { await Promise.all(which.map((s) => post(`/onboarding/${s.step}/dismiss`))) } catch (e) { toast.error(messageOf(e)); void queryClient.invalidateQueries({ queryKey: stepsKey }) }
  }
  return (
    <section className="mb-7 border border-line rounded-lg p-4" aria-labelledby="first-steps">
      <div className="flex items-start gap-2">
        <div className="flex-1"><h2 id="first-steps" className="m-0 text-base font-semibold">{t('homePage.begin')}</h2><p className="m-0 mt-0.5 text-muted">{t('homePage.beginText')}</p></div>
        <button type="button" className="btn ghost icon sm" aria-label={t('homePage.hide')} title={t('homePage.hide')} onClick={() => void hide(open)}><X size={14} /></button>
      </div>
      <ol className="list-none m-0 mt-3 p-0">
        {steps.map((s) => {
          const e = s.entity ? index[s.entity] : undefined
          return (
            <li key={s.step} className="flex items-center gap-2.5 min-h-11 border-t border-line">
              {s.done ? <CircleCheck size={17} className="text-good flex-none" aria-label={t('homePage.begun')} /> : <Circle size={17} className="text-faint flex-none" aria-hidden="true" />}
              <span className={s.done ? 'flex-1 min-w-0 text-muted' : 'flex-1 min-w-0'}>{s.label}</span>
              {!s.done && e?.can.import && <Link className="btn ghost sm no-underline text-fg max-md:hidden" to="/o/$entity/import" params={{ entity: e.name }} search={{}}><Upload size={13} />{t('import.title')}</Link>}
              {!s.done && e?.can.create && <Link className={`btn sm no-underline ${s === open[0] ? 'primary' : 'text-fg'}`} to="/o/$entity" params={{ entity: e.name }} search={{ new: true }}>{t('newNamed', { name: e.label })}</Link>}
              {!s.done && <button type="button" className="btn ghost icon sm" aria-label={t('homePage.skip', { name: s.label })} title={t('homePage.skip', { name: s.label })} onClick={() => void hide([s])}><X size={13} /></button>}
            </li>
          )
        })}
        <li className="flex items-center gap-2.5 min-h-11 border-t border-line"><UserPlus size={17} className="text-faint flex-none" aria-hidden="true" /><span className="flex-1">{t('homePage.colleagues')}</span><Link className="btn sm no-underline text-fg" to="/settings/members">{t('members.invite')}</Link></li>
      </ol>
    </section>
  )
}

/** Where the work stands: of every kind that goes through states, how many are in which. */
function Standing({ names }: { names: string[] }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const metas = useQueries({ queries: names.map((n) => entityQuery(n)) })
  const staged = metas.map((m) => m.data).filter((e): e is Entity => !!e?.states)
  const sums = useQueries({ queries: staged.map((e) => ({ queryKey: ['sums', e.name, 'states'], staleTime: 20_000, retry: false, queryFn: () => records.aggregate(e.name, { group_by: [e.states!.field], metrics: [{ function: 'count', as: 'n' }], limit: 50 }).then((r) => r.data) })) })
  if (metas.some((m) => m.isLoading) || sums.some((s) => s.isLoading)) return <div className="mb-7 -mx-4"><Skeleton rows={3} /></div>
  const shown = staged.map((e, i) => ({ e, rows: sums[i]?.data ?? [] })).filter((x) => x.rows.length > 0)
  if (shown.length === 0) return null
  return (
    <Part title={t('homePage.standing')}>
      <div className="grid gap-3" style={{ gridTemplateColumns: 'repeat(auto-fill,minmax(min(330px,100%),1fr))' }}>
        {shown.map(({ e, rows }) => {
          const field = e.states!.field
          return (
            <section key={e.name} className="border border-line rounded-lg px-4 py-3" aria-label={e.plural}>
              <h3 className="m-0 mb-2 text-sm font-semibold flex items-center gap-2"><EntityIcon name={e.icon} className="text-muted" /><Link className="no-underline text-fg hover:underline" to="/o/$entity" params={{ entity: e.name }} search={{}}>{e.plural}</Link></h3>
              <ul className="list-none m-0 p-0 flex flex-wrap gap-x-4 gap-y-1">
                {e.states!.options.map((o) => {
                  const n = rows.find((r) => r[field] === o.id)?.n
                  return n ? <li key={o.id}><Link className="inline-flex items-center gap-1.5 h-7 no-underline text-fg" to="/o/$entity" params={{ entity: e.name }} search={{ filter: { operator: 'AND', rules: [{ field, operator: 'in', value: [o.id] }] } }}><Chip option={o} /><span className="num font-semibold">{formatNumber(String(n), locale)}</span></Link></li> : null
                })}
              </ul>
            </section>
          )
        })}
      </div>
    </Part>
  )
}

function Everything({ menu, counts }: { menu: MenuModule[]; counts: Counts }) {
  const locale = useLocale()
  return (
    <div className="grid gap-x-8 gap-y-4" style={{ gridTemplateColumns: 'repeat(auto-fill,minmax(220px,1fr))' }}>
      {menu.map((m) => (
        <div key={m.name}>
          <h3 className="m-0 mb-1 pb-1.5 text-sm font-semibold border-b border-line">{m.title}</h3>
          {m.entities.map((e) => <Link key={e.name} className="item no-underline text-fg -mx-2" to="/o/$entity" params={{ entity: e.name }} search={{}}><EntityIcon name={e.icon ?? m.icon} size={15} className="text-muted" /><span className="truncate flex-1">{e.plural || e.label}</span>{counts[e.name] !== undefined && <span className="text-faint num text-xs">{formatNumber(String(counts[e.name]), locale)}</span>}</Link>)}
        </div>
      ))}
    </div>
  )
}
