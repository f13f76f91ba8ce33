import '@/views/calendar/calendar.css'
import { clsx } from 'clsx'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { formatNumber } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import type { Entity } from '@/meta/types'
import { Agenda } from '@/views/calendar/agenda'
import { HoursGrid } from '@/views/calendar/hours-grid'
import { MonthGrid } from '@/views/calendar/month'
import { itemsOf, type Calendar } from '@/views/calendar/shape'
import { isTimed, todayIn } from '@/views/calendar/when'
import { dates, sayDay, sayDays, sayTime, sayWhen } from '@/views/calendar/words'
import { addDays, addMonths, firstWeekday, month, monthOnly, week } from '@/views/days'
import { called, colourOf, hueIn, timesOf, useDays } from './days'
import { Gone, useAgain, useGuestLocale, type BodyProps } from './shared'

const MOST = 1000
const SPANS = ['month', 'week', 'day', 'agenda'] as const
const nothing = () => {}

/** A calendar to be looked at: the same months and hours as the view has, in which nothing is taken or made. */
export default function SharedCalendar(p: BodyProps) {
  const { opened } = p
  const { t } = useTranslation()
  const locale = useGuestLocale(opened)
  const { zone } = locale
  const narrow = useNarrow()
  const today = todayIn(zone)
  const [{ day, span: chosen }, setAt] = useState<{ day: string; span?: Calendar['span'] }>({ day: today })
  const span = chosen ?? (narrow ? 'agenda' : 'month')
  const first = firstWeekday(locale.locale)
  const days = useMemo(() => (span === 'month' ? month(day, first) : span === 'week' ? week(day, first) : span === 'day' ? [day] : monthOnly(day)), [span, day, first])
  const [from, to] = [days[0]!, days.at(-1)!]
  const times = useMemo(() => timesOf(opened, zone), [opened, zone])
  const asked = useDays(p, from, addDays(to, 1), MOST, zone)
  const over = useAgain(asked.error, p.again)
  const items = useMemo(() => (asked.data?.rows ?? []).flatMap((row) => itemsOf(row, times)), [asked.data, times])
  const scroller = useRef<HTMLDivElement>(null)
  const go = (d: string, as?: Calendar['span']) => setAt({ day: d, span: as ?? span })
  const page = (n: number) => go(span === 'week' ? addDays(day, 7 * n) : span === 'day' ? addDays(day, n) : addMonths(day, n))
  const dayKeys = (e: KeyboardEvent, d: string) => {
    const side = getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1
    const n = { ArrowRight: side, ArrowLeft: -side, ArrowDown: 7, ArrowUp: -7 }[e.key]
    const next = n ? addDays(d, n) : e.key === 'PageDown' ? addMonths(d, 1) : e.key === 'PageUp' ? addMonths(d, -1) : null
    if (!next || e.target !== e.currentTarget) return
    e.preventDefault()
    go(next)
    setTimeout(() => scroller.current?.querySelector<HTMLElement>(`[data-day="${next}"]`)?.focus())
  }
  const timed = isTimed(times)
  const hours = timed && (span === 'day' || (span === 'week' && !narrow))
  const listed = !hours && (span === 'agenda' || span === 'day' || (span === 'week' && narrow))
  const words: Calendar['words'] = (item, withTime) => <>
    {withTime && item.when.at !== undefined && <span className="num cal-time">{sayTime(item.when.at, locale)}</span>}
    <span className="font-medium txt">{called(opened, item.row, locale)}</span>
    <span className="visually-hidden">{[colourOf(opened, item.row)?.label, item.when.from !== item.when.to && sayWhen(item.when, locale)].filter(Boolean).map((s) => `, ${s}`)}</span>
  </>
  const event: Calendar['event'] = (item, _, className, style, { children }) => <div key={`${item.row.id} ${item.when.from}`} className={clsx('chip cal-event looked', hueIn(opened, item.row), className)} style={style} title={[called(opened, item.row, locale), colourOf(opened, item.row)?.label, sayWhen(item.when, locale)].filter(Boolean).join(' · ')}>{children}</div>
  const cal: Calendar = {
    entity: { label: opened.entity.label } as Entity, locale, items, days, day, today, span, times, held: null, openId: undefined, narrow, pending: asked.isPending, second: undefined, mayCreate: false,
    label: t('calendar.label', { name: opened.entity.plural }), scroller, hue: (row) => hueIn(opened, row),
    words, event, dayKeys, go, gesture: nothing, grip: () => null, grabDays: nothing, take: () => false, put: nothing, drop: nothing, letGo: nothing, create: nothing, over: () => false,
  }
  const title = span === 'day' ? sayDay(day, locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }) : span === 'week' ? sayDays(from, to, locale) : dates(locale, 'UTC', { month: 'long', year: 'numeric' }).format(new Date(day + 'T00:00:00Z'))
  if (asked.error && !over) return <Gone error={asked.error} />
  return (
    <div className={clsx('shared-days', !listed && 'whole')}>
      <div className="flex items-center gap-1.5 px-5 py-2 border-b border-line flex-wrap max-md:px-3">
        <h2 className="m-0 text-base font-semibold flex-1 truncate first-letter:uppercase" aria-live="polite">{title}</h2>
        <select className="input flex-none no-print" style={{ width: 'auto' }} aria-label={t('calendar.span')} value={span} onChange={(e) => go(day, e.target.value as Calendar['span'])}>{SPANS.map((s) => <option key={s} value={s}>{t(`calendar.${s}`)}</option>)}</select>
        <button type="button" className="btn sm no-print" onClick={() => go(today)}>{t('calendar.today')}</button>
        <button type="button" className="btn icon sm no-print" aria-label={t('calendar.before')} onClick={() => page(-1)}><ChevronLeft size={15} className="rtl:scale-x-[-1]" /></button>
        <button type="button" className="btn icon sm no-print" aria-label={t('calendar.after')} onClick={() => page(1)}><ChevronRight size={15} className="rtl:scale-x-[-1]" /></button>
      </div>
      {asked.data?.more && <p className="m-0 px-5 py-1.5 text-warn max-md:px-3" role="status">{t('calendar.cut', { n: formatNumber(MOST, locale) })}</p>}
      {asked.data && !items.length && <Near near={asked.data.near} say={(d) => sayDays(d, d, locale)} go={go} />}
      {hours ? <HoursGrid cal={cal} /> : listed ? (items.length > 0 || asked.isPending) && <Agenda cal={cal} /> : <MonthGrid cal={cal} />}
    </div>
  )
}

export function Near({ near, say, go }: { near: string[]; say: (day: string) => string; go: (day: string) => void }) {
  const { t } = useTranslation()
  return <p className="m-0 px-5 py-1.5 flex items-center gap-2 flex-wrap text-muted max-md:px-3" role="status">{t('calendar.none')}{near.map((d) => <button key={d} type="button" className="btn sm" onClick={() => go(d)}>{t('calendar.show', { day: say(d) })}</button>)}</p>
}
