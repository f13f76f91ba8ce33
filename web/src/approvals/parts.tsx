import { Check, Circle, CircleDot } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { formatAgo, formatInstant, formatMoney, useLocale } from '@/lib/format'
import { fieldOf, useEntity, useMeta } from '@/meta/hooks'
import { Avatar, Chip } from '@/ui/basics'
import { urgency, type Approval, type Status, type Step, type Whole } from './data'

const readable = (s: string) => { const w = s.replace(/_id$/, '').replaceAll('_', ' '); return w.charAt(0).toUpperCase() + w.slice(1) }

/** What would be done to what: "Post · Invoice". Whoever may not read the entity sees its plain name. */
export function useSubject(entity: string, action: string): { action: string; entity: string } {
  const { data: meta } = useMeta()
  const known = meta?.entities[entity]
  const { data } = useEntity(known ? entity : undefined)
  const label = data?.actions.find((a) => a.name === action)?.label ?? data?.states?.moves.find((m) => m.action === action)?.label
  return { action: label ?? readable(action), entity: known?.label ?? readable(entity.split('.')[1] ?? entity) }
}
export function Subject({ of: a }: { of: Approval }) {
  const s = useSubject(a.entity, a.action)
  return <>{s.action} · {s.entity}</>
}

const COLORS: Record<Status, string> = { pending: 'blue', approved: 'green', rejected: 'red', returned: 'amber', withdrawn: 'gray' }
export function StatusChip({ status }: { status: Status }) {
  const { t } = useTranslation()
  return <Chip option={{ id: status, label: t(`approvals.status_${status}`), color: COLORS[status] }} />
}

export function Due({ of: a }: { of: Approval }) {
  const { t } = useTranslation()
  const locale = useLocale()
  if (a.asked_at) return <Chip option={{ id: 'asked', label: t('approvals.asked'), color: 'violet' }} />
  const u = urgency(a.due_at)
  if (u === 'none') return null
  return <span title={formatInstant(a.due_at, locale)}><Chip option={{ id: u, label: t(u === 'over' ? 'approvals.overdue' : 'approvals.due', { when: formatInstant(a.due_at, locale) }), color: u === 'over' ? 'red' : u === 'soon' ? 'amber' : 'gray' }} /></span>
}

export function Amount({ of: a, className }: { of: Approval; className?: string }) {
  const locale = useLocale()
  return a.amount === null ? null : <span className={`num font-semibold whitespace-nowrap ${className ?? ''}`}>{formatMoney(a.amount, locale, a.currency)}</span>
}

/** The record as it was when approval was asked for, in the words of its fields. */
export function Facts({ of: a }: { of: Approval }) {
  const locale = useLocale()
  const { data: meta } = useMeta()
  const { data: entity } = useEntity(meta?.entities[a.entity] ? a.entity : undefined)
  if (!a.shown.length) return null
  return (
    <dl className="m-0 grid gap-x-6 gap-y-1 sm:grid-cols-2">
      {a.shown.map(({ name, value }) => {
        const field = entity && fieldOf(entity, name)
        const text = typeof value === 'string' && field && !['relation', 'user'].includes(field.type) ? typeOf(field).format(value, field, locale) : typeof value === 'object' ? JSON.stringify(value) : String(value)
        return <div key={name} className="flex gap-2 min-h-6 min-w-0"><dt className="text-muted w-[40%] flex-none truncate">{field?.label ?? readable(name)}</dt><dd className="m-0 min-w-0" style={{ overflowWrap: 'anywhere' }}>{text}</dd></div>
      })}
    </dl>
  )
}

/** Level after level: who, how many of them, who has agreed. */
export function Steps({ of: a }: { of: Whole }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const about = (s: Step): string[] => [
    ...(s.people.length > 1 ? [s.quorum ? t('approvals.anyOf', { n: s.quorum, of: s.people.length }) : t('approvals.allOf')] : []),
    ...(s.due_at && !s.left_at ? [t('approvals.until', { when: formatInstant(s.due_at, locale) })] : []),
  ]
  const now = (s: Step) => a.status === 'pending' && s.number === a.level
  return (
    <ol className="list-none m-0 p-0" aria-label={t('approvals.levels')}>
      {a.steps.map((s) => (
        <li key={s.number} className="flex gap-2.5 pb-3" aria-current={now(s) ? 'step' : undefined}>
          {s.left_at && s.people.some((p) => p.approved) ? <Check size={16} className="text-good flex-none mt-0.5" aria-label={t('approvals.stepDone')} /> : now(s) ? <CircleDot size={16} className="text-accent flex-none mt-0.5" aria-label={t('approvals.stepNow')} /> : <Circle size={16} className="text-faint flex-none mt-0.5" aria-hidden="true" />}
          <div className="min-w-0 flex-1">
            <div className="font-medium">{s.name || t('approvals.level', { n: s.number })}<span className="text-muted font-normal">{about(s).map((x) => ` · ${x}`)}</span></div>
            {s.people.length > 0 && (
              <ul className="list-none m-0 mt-1 p-0 flex flex-wrap gap-x-4 gap-y-1">
                {s.people.map((p) => <li key={p.person.id} className="inline-flex items-center gap-1.5 min-h-6"><Avatar name={p.person.name} size={18} /><span>{p.person.name}</span>{p.standin && <span className="text-muted">→ {p.standin.name}</span>}{p.escalated && <span className="text-muted">({t('approvals.escalated')})</span>}{p.approved && <Check size={13} className="text-good" aria-label={t('approvals.status_approved')} />}</li>)}
              </ul>
            )}
          </div>
        </li>
      ))}
    </ol>
  )
}

/** What was decided and said. */
export function Talk({ of: a }: { of: Whole }) {
  const { t } = useTranslation()
  const locale = useLocale()
  if (!a.history.length) return null
  return (
    <ol className="list-none m-0 p-0 space-y-2.5" aria-label={t('approvals.history')}>
      {a.history.map((h, i) => (
        <li key={i} className="flex gap-2.5">
          <Avatar name={h.by?.name ?? '·'} size={22} />
          <div className="min-w-0 flex-1">
            <div><strong className="font-semibold">{h.by?.name ?? t('system')}</strong> <span className="text-muted">{t(`approvals.did_${h.decision}`)}{h.to && ` → ${h.to.name}`}{h.in_name_of && ` · ${t('approvals.inNameOf', { name: h.in_name_of.name })}`}</span> <time className="text-faint text-xs" dateTime={h.at} title={formatInstant(h.at, locale)}>{formatAgo(h.at, locale)}</time></div>
            {h.comment && <div className="mt-0.5" style={{ overflowWrap: 'anywhere' }}>{h.comment}</div>}
          </div>
        </li>
      ))}
    </ol>
  )
}
