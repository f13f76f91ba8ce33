import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { CircleStop, RotateCcw } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { get, messageOf, post } from '@/api/http'
import { queryClient } from '@/api/session'
import { formatAgo, formatInstant, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useMeta } from '@/meta/hooks'
import { Chip, Empty, Failure, Labelled, Skeleton } from '@/ui/basics'
import { Section } from './layout'

interface Job { id: string; kind: string; status: string; done: number; total: number | null; error: string | null; created_at: string; finished_at: string | null; run_at: string; entity: string | null; by: string | null; attempts: number; max_attempts: number }
interface Page { data: Job[]; counts: Record<string, number> }
interface Schedule { kind: string; key: string; cron: string; zone: string; program: boolean; last_run_at: string | null; next_run_at: string | null; status: string | null; error: string | null; by: string | null }

const STATES = ['queued', 'running', 'done', 'failed', 'cancelled']
const COLORS: Record<string, string> = { queued: 'gray', running: 'blue', done: 'green', failed: 'red', cancelled: 'amber' }
const PAGE = 50

export function Jobs() {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const { state } = useSearch({ from: '/house/settings/jobs' })
  const { data: meta } = useMeta()
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    queryKey: ['company-jobs', state ?? ''], initialPageParam: undefined as string | undefined, refetchInterval: 10_000,
    getNextPageParam: (p: Page) => (p.data.length === PAGE ? p.data.at(-1)?.id : undefined),
    queryFn: ({ pageParam }) => get<Page>('/jobs', { whose: 'company', state, before: pageParam, limit: PAGE }),
  })
  const all = data?.pages.flatMap((p) => p.data) ?? []
  const counts = data?.pages[0]?.counts ?? {}
  const kindOf = (kind: string) => t(`jobs.kind_${kind.replace('.', '_')}`, kind)
  const step = (job: Job, what: 'cancel' | 'retry') => void post(`/jobs/${job.id}/${what}`)
    .then(async () => { done(t(what === 'cancel' ? 'jobs.stopped' : 'jobs.again')); await queryClient.invalidateQueries({ queryKey: ['company-jobs'] }) })
    .catch((e) => toast.error(messageOf(e)))
  return (
    <Section wide title={t('settings.jobs')} text={t('jobs.text')}>
      <Labelled label={t('jobs.state')} className="w-[220px] mb-4">{(p) => (
        <select {...p} className="input" value={state ?? ''} onChange={(e) => void navigate({ to: '/settings/jobs', search: e.target.value ? { state: e.target.value } : {}, replace: true })}>
          <option value="">{t('jobs.any')}</option>
          {STATES.map((s) => <option key={s} value={s}>{t(`jobs.state_${s}`)}{counts[s] ? ` (${counts[s]})` : ''}</option>)}
        </select>
      )}</Labelled>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : all.length === 0 ? <Empty title={t('jobs.none')} text={t('jobs.noneText')} /> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('settings.jobs')}>
          <table className="data">
            <thead><tr><th scope="col">{t('jobs.what')}</th><th scope="col">{t('audit.who')}</th><th scope="col">{t('jobs.state')}</th><th scope="col" className="end">{t('jobs.progress')}</th><th scope="col" className="end">{t('jobs.attempts')}</th><th scope="col">{t('jobs.asked')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
            <tbody>{all.map((j) => {
              const what = [kindOf(j.kind), j.entity && (meta?.entities[j.entity]?.plural ?? j.entity)].filter(Boolean).join(': ')
              return (
                <tr key={j.id} className="align-top">
                  <td><span className="font-medium">{what}</span>{j.error && <span className="block text-bad text-xs max-w-[60ch]" style={{ overflowWrap: 'anywhere' }}>{j.error}</span>}</td>
                  <td>{j.by ?? t('system')}</td>
                  <td><Chip option={{ id: j.status, label: t(`jobs.state_${j.status}`, j.status), color: COLORS[j.status] ?? 'gray' }} /></td>
                  <td className="end num">{j.total ? t('jobs.of', { done: j.done, total: j.total }) : j.done || ''}</td>
                  <td className="end num">{t('jobs.of', { done: j.attempts, total: j.max_attempts })}</td>
                  <td className="text-muted whitespace-nowrap" title={formatInstant(j.created_at, locale)}>{formatAgo(j.created_at, locale)}</td>
                  <td className="end whitespace-nowrap">
                    {j.status === 'failed' && <button type="button" className="btn sm" aria-label={t('work.retryNamed', { name: what })} onClick={() => step(j, 'retry')}><RotateCcw size={13} />{t('retry')}</button>}
                    {(j.status === 'queued' || j.status === 'running') && <button type="button" className="btn sm" aria-label={t('work.stopNamed', { name: what })} onClick={() => step(j, 'cancel')}><CircleStop size={13} />{t('work.stop')}</button>}
                  </td>
                </tr>
              )
            })}</tbody>
          </table>
        </div>
      )}
      {hasNextPage && <button type="button" className="btn mt-3" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
      {!state && (counts.failed ?? 0) > 0 && <p className="mt-3"><Link className="ref" to="/settings/jobs" search={{ state: 'failed' }}>{t('jobs.dead', { n: counts.failed })}</Link></p>}
      <Schedules kindOf={kindOf} />
    </Section>
  )
}

function Schedules({ kindOf }: { kindOf: (kind: string) => string }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['schedules'], queryFn: () => get<{ data: Schedule[] }>('/schedules').then((r) => r.data) })
  return (
    <div className="mt-8 pt-5 border-t border-line">
      <h2 className="text-base font-semibold m-0 mb-3">{t('jobs.schedules')}</h2>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton rows={3} /> : data.length === 0 ? <p className="text-muted m-0">{t('jobs.noSchedules')}</p> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('jobs.schedules')}>
          <table className="data">
            <thead><tr><th scope="col">{t('jobs.what')}</th><th scope="col">{t('jobs.rhythm')}</th><th scope="col">{t('jobs.next')}</th><th scope="col">{t('jobs.last')}</th><th scope="col">{t('jobs.state')}</th></tr></thead>
            <tbody>{data.map((s) => (
              <tr key={`${s.program} ${s.kind} ${s.key}`} className="align-top">
                <td><span className="font-medium">{kindOf(s.kind)}</span>{s.program && <span className="text-muted text-xs block">{t('jobs.ofProgram')}</span>}{s.error && <span className="block text-bad text-xs">{s.error}</span>}</td>
                <td><code>{s.cron}</code> <span className="text-muted">{s.zone}</span></td>
                <td className="num whitespace-nowrap">{s.next_run_at ? formatInstant(s.next_run_at, locale) : t('never')}</td>
                <td className="num whitespace-nowrap text-muted">{s.last_run_at ? formatInstant(s.last_run_at, locale) : t('never')}</td>
                <td>{s.status && <Chip option={{ id: s.status, label: t(`jobs.state_${s.status}`, s.status), color: COLORS[s.status] ?? 'gray' }} />}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </div>
  )
}
