import { useQuery } from '@tanstack/react-query'
import { Check } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, messageOf, post } from '@/api/http'
import { formatAgo, formatBytes, formatInstant, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { Chip, Empty, Failure, Skeleton } from '@/ui/basics'
import { Section } from './layout'

interface System {
  version: string; uptime: number; companies: number; users: number
  database: { version: string; size: number; connections: number; most_connections: number }
  backup: { archived_at: string | null; failed_at: string | null } | null
  queue: { queued: number; running: number; failed: number; oldest: string | null }
  mails: { waiting: number; failed: number }
  requests: { answered: number; refused: number; failed: number; in_flight: number; average_micros: number }
  disk: { free: number; total: number } | null
}
interface Log { id: string; level: string; message: string; count: number; first_seen_at: string; last_seen_at: string; resolved_at: string | null }

export function SystemHealth() {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['system'], refetchInterval: 15_000, queryFn: () => get<System>('/system') })
  const number = (n: number) => new Intl.NumberFormat(locale.locale).format(n)
  const unit = (n: number, u: string) => new Intl.NumberFormat(locale.locale, { style: 'unit', unit: u, unitDisplay: 'long', maximumFractionDigits: 0 }).format(n)
  const age = (s: number) => (s >= 172_800 ? unit(Math.floor(s / 86_400), 'day') : s >= 7200 ? unit(Math.floor(s / 3600), 'hour') : unit(Math.floor(s / 60), 'minute'))
  const low = !!data?.disk && data.disk.free < data.disk.total / 10
  const groups: [string, [string, string, boolean?][]][] = data ? [
    ['health.program', [[t('health.version'), data.version], [t('health.uptime'), age(data.uptime)], [t('health.companies'), number(data.companies)], [t('health.users'), number(data.users)]]],
    ['health.database', [[t('health.version'), `PostgreSQL ${data.database.version}`], [t('health.size'), formatBytes(data.database.size, locale)], [t('health.connections'), t('jobs.of', { done: data.database.connections, total: data.database.most_connections }), data.database.connections > data.database.most_connections * 0.8], [t('health.backup'), data.backup?.archived_at ? formatInstant(data.backup.archived_at, locale) : t('health.backupUnknown')]]],
    ['health.queue', [[t('jobs.state_queued'), number(data.queue.queued)], [t('health.oldest'), data.queue.oldest ? formatAgo(data.queue.oldest, locale) : t('nothing')], [t('jobs.state_running'), number(data.queue.running)], [t('jobs.state_failed'), number(data.queue.failed), data.queue.failed > 0], [t('health.mails'), number(data.mails.waiting)], [t('health.mailsFailed'), number(data.mails.failed), data.mails.failed > 0]]],
    ['health.requests', [[t('health.answered'), number(data.requests.answered)], [t('health.average'), unit(Math.max(1, Math.round(data.requests.average_micros / 1000)), 'millisecond')], [t('health.broken'), number(data.requests.failed), data.requests.failed > 0], [t('health.disk'), data.disk ? t('health.free', { free: formatBytes(data.disk.free, locale), total: formatBytes(data.disk.total, locale) }) : t('health.unknown'), low]]],
  ] : []
  return (
    <Section wide title={t('settings.system')} text={t('health.text')}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : (
        <div className="grid gap-x-8 gap-y-5" style={{ gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 340px), 1fr))' }}>
          {groups.map(([title, rows]) => (
            <section key={title} aria-label={t(title)}>
              <h2 className="text-base font-semibold m-0 mb-1">{t(title)}</h2>
              <dl className="m-0">{rows.map(([name, value, bad]) => (
                <div key={name} className="flex gap-3 py-1.5 border-b border-line"><dt className="text-muted flex-1">{name}</dt><dd className={bad ? 'm-0 text-bad font-medium text-end' : 'm-0 text-end'}>{value}</dd></div>
              ))}</dl>
            </section>
          ))}
        </div>
      )}
      {data && <Errors />}
    </Section>
  )
}

function Errors() {
  const { t } = useTranslation()
  const locale = useLocale()
  const [all, setAll] = useState(false)
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['system-logs', all], queryFn: () => get<{ data: Log[] }>('/system/logs', { resolved: all }).then((r) => r.data) })
  const resolve = (log: Log) => void post(`/system/logs/${log.id}/resolve`).then(() => { done(t('health.resolved')); return refetch() }).catch((e) => toast.error(messageOf(e)))
  return (
    <div className="mt-8 pt-5 border-t border-line">
      <div className="flex items-center gap-3 mb-3 flex-wrap">
        <h2 className="text-base font-semibold m-0 flex-1">{t('health.errors')}</h2>
        <label className="inline-flex items-center gap-2 min-h-6"><input type="checkbox" checked={all} onChange={(e) => setAll(e.target.checked)} />{t('health.showResolved')}</label>
      </div>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton rows={3} /> : data.length === 0 ? <Empty title={t('health.noErrors')} /> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('health.errors')}>
          <table className="data">
            <thead><tr><th scope="col">{t('health.error')}</th><th scope="col" className="end">{t('health.times')}</th><th scope="col">{t('health.first')}</th><th scope="col">{t('health.last')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
            <tbody>{data.map((l) => (
              <tr key={l.id} className="align-top">
                <td><Chip option={{ id: l.level, label: t(`health.level_${l.level}`, l.level), color: l.level === 'WARN' ? 'amber' : 'red' }} /> <span style={{ overflowWrap: 'anywhere' }}>{l.message}</span></td>
                <td className="end num">{l.count}</td>
                <td className="text-muted whitespace-nowrap" title={formatInstant(l.first_seen_at, locale)}>{formatAgo(l.first_seen_at, locale)}</td>
                <td className="whitespace-nowrap" title={formatInstant(l.last_seen_at, locale)}>{formatAgo(l.last_seen_at, locale)}</td>
                <td className="end">{l.resolved_at ? <span className="text-muted">{t('health.isResolved')}</span> : <button type="button" className="btn sm" aria-label={t('health.resolveNamed', { name: l.message.slice(0, 60) })} onClick={() => resolve(l)}><Check size={13} />{t('health.resolve')}</button>}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </div>
  )
}
