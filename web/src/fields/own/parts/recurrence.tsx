import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { DAYS, dayName, formatRule, monthName, parseRule, sentence, type Frequency, type Rule } from '@/fields/own/recurrence'
import { formatDate, useLocale } from '@/lib/format'
import type { InputProps } from '../../registry'

const FREQUENCIES: Frequency[] = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']
const NTH = ['1', '2', '3', '4', '5', '-1']

/** How often, on which days, until when, and which days are left out; below it the rule as a sentence. */
export default function RecurrenceInput(p: InputProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const first = useRef<HTMLSelectElement>(null)
  useEffect(() => { if (p.autoFocus) first.current?.focus() }, [p.autoFocus])
  const rule = parseRule(p.value)
  const put = (part: Partial<Rule>) => rule && p.onChange(formatRule({ ...rule, ...part }))
  const begin = (freq: string) => p.onChange(freq ? formatRule({ freq: freq as Frequency, interval: rule?.interval ?? 1, days: [], monthDays: [], months: [], count: rule?.count ?? null, until: rule?.until ?? null, except: rule?.except ?? [], rest: [] }) : null)
  const label = p.label ?? p.field.label
  const monthly = rule && (rule.freq === 'MONTHLY' || rule.freq === 'YEARLY')
  const by = rule?.monthDays.length ? 'day' : rule?.days.length ? 'weekday' : 'same'
  const one = rule?.days[0] ?? '1MO'
  const nth = one.slice(0, -2) || '1'
  const day = one.slice(-2)
  const months = rule?.freq === 'YEARLY' ? { months: rule.months.length ? rule.months : [1] } : {}
  const end = rule?.count ? 'count' : rule?.until ? 'until' : 'never'
  // A cell has room for how often it comes back; the rest is said in the record.
  const how = <select ref={first} id={p.id} aria-invalid={p.invalid} className={p.compact ? 'input' : 'input !w-auto'} aria-label={p.compact ? label : t('rec.how')} value={rule?.freq ?? ''} onChange={(e) => begin(e.target.value)}>
    <option value="">{t('rec.none')}</option>{FREQUENCIES.map((f) => <option key={f} value={f}>{t(`rec.${f}`)}</option>)}
  </select>
  if (p.compact) return how
  return (
    <div role="group" aria-label={label} aria-describedby={p.describedBy} className="grid gap-2">
      <div className="flex gap-2 flex-wrap items-center">
        {how}
        {rule && <label className="flex items-center gap-1.5">{t('rec.interval')}<input className="input num" style={{ inlineSize: 68 }} type="number" min={1} max={999} value={rule.interval} onChange={(e) => put({ interval: Math.max(1, Math.min(999, Math.round(Number(e.target.value)) || 1)) })} /></label>}
      </div>
      {rule?.freq === 'WEEKLY' && (
        <div role="group" aria-label={t('rec.weekdays')} className="flex gap-1 flex-wrap">
          {DAYS.map((d) => <button key={d} type="button" className={rule.days.includes(d) ? 'btn sm on max-md:!h-11' : 'btn sm max-md:!h-11'} aria-pressed={rule.days.includes(d)} onClick={() => put({ days: DAYS.filter((x) => (x === d) !== rule.days.includes(x)) })}><span aria-hidden="true">{new Intl.DateTimeFormat(locale.locale, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(2023, 0, DAYS.indexOf(d) + 2))}</span><span className="visually-hidden">{dayName(d, locale.locale)}</span></button>)}
        </div>
      )}
      {monthly && (
        <div className="flex gap-2 flex-wrap items-center">
          <select className="input !w-auto" aria-label={t('rec.by')} value={by} onChange={(e) => put(e.target.value === 'day' ? { monthDays: [1], days: [], ...months } : e.target.value === 'weekday' ? { monthDays: [], days: ['1MO'], ...months } : { monthDays: [], days: [], months: [] })}>
            {(['same', 'day', 'weekday'] as const).map((x) => <option key={x} value={x}>{t(`rec.by_${x}`)}</option>)}
          </select>
          {by === 'day' && <select className="input !w-auto" aria-label={t('rec.by_day')} value={rule.monthDays[0]} onChange={(e) => put({ monthDays: [Number(e.target.value)] })}>{Array.from({ length: 31 }, (_, i) => <option key={i} value={i + 1}>{t('rec.day', { n: i + 1 })}</option>)}<option value={-1}>{t('rec.lastDay')}</option></select>}
          {by === 'weekday' && <>
            <select className="input !w-auto" aria-label={t('rec.which')} value={nth} onChange={(e) => put({ days: [e.target.value + day] })}>{NTH.map((x) => <option key={x} value={x}>{x === '-1' ? t('rec.last', { day: '' }) : t(`rec.nth${x}`, { day: '' })}</option>)}</select>
            <select className="input !w-auto" aria-label={t('rec.weekdays')} value={day} onChange={(e) => put({ days: [nth + e.target.value] })}>{DAYS.map((d) => <option key={d} value={d}>{dayName(d, locale.locale)}</option>)}</select>
          </>}
          {rule.freq === 'YEARLY' && by !== 'same' && <select className="input !w-auto" aria-label={t('rec.month')} value={rule.months[0] ?? 1} onChange={(e) => put({ months: [Number(e.target.value)] })}>{Array.from({ length: 12 }, (_, i) => <option key={i} value={i + 1}>{monthName(i + 1, locale.locale)}</option>)}</select>}
        </div>
      )}
      {rule && (
        <div className="flex gap-2 flex-wrap items-center">
          <select className="input !w-auto" aria-label={t('rec.ends')} value={end} onChange={(e) => put(e.target.value === 'count' ? { count: 10, until: null } : e.target.value === 'until' ? { count: null, until: new Date(Date.now() + 90 * 864e5).toISOString().slice(0, 10) } : { count: null, until: null })}>
            {(['never', 'until', 'count'] as const).map((x) => <option key={x} value={x}>{t(`rec.end_${x}`)}</option>)}
          </select>
          {end === 'until' && <input className="input num !w-auto" type="date" aria-label={t('rec.end_until')} value={rule.until ?? ''} onChange={(e) => e.target.value && put({ until: e.target.value })} />}
          {end === 'count' && <input className="input num" style={{ inlineSize: 80 }} type="number" min={1} max={1000} aria-label={t('rec.end_count')} value={rule.count ?? 1} onChange={(e) => put({ count: Math.max(1, Math.min(1000, Math.round(Number(e.target.value)) || 1)) })} />}
        </div>
      )}
      {rule && (
        <div className="flex gap-1.5 flex-wrap items-center">
          <label className="flex items-center gap-1.5 text-muted">{t('rec.skip')}<input className="input num !w-auto" type="date" value="" onChange={(e) => e.target.value && put({ except: [...rule.except, e.target.value] })} /></label>
          {rule.except.map((d) => <span key={d} className="chip plain">{formatDate(d, locale)}<button type="button" className="border-0 bg-transparent p-0 ms-1 flex" aria-label={t('removeNamed', { name: formatDate(d, locale) })} onClick={() => put({ except: rule.except.filter((x) => x !== d) })}><span aria-hidden="true">×</span></button></span>)}
        </div>
      )}
      {rule && <output className="text-muted">{sentence(p.value, locale)}</output>}
    </div>
  )
}
