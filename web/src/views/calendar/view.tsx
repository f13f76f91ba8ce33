import './calendar.css'
import { useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { ChevronLeft, ChevronRight, Plus } from 'lucide-react'
import { createElement, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { typeOf } from '@/fields/registry'
import { formatDate, formatNumber, instantToLocal, localToInstant, useLocale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { toast } from '@/lib/toast'
import { editable, fieldOf, listFields, titleOf } from '@/meta/hooks'
import type { Condition, Row } from '@/meta/types'
import { saveFields } from '@/record/save'
import { Empty, Failure, hueName, Skeleton } from '@/ui/basics'
import { useCarry } from '../carry'
import { addDays, addMonths, byDay, firstWeekday, isDay, month, monthOnly, week } from '../days'
import type { ViewProps } from '../kind'

const todayIn = (zone: string): string => instantToLocal(new Date().toISOString(), zone).slice(0, 10)
const MOST = 500
const IN_CELL = 3
const SPANS = ['month', 'week', 'agenda'] as const
type Span = (typeof SPANS)[number]
interface Held { row: Row; from: string; over: string; keys: boolean }

export default function Calendar({ entity, by: { date }, columns, params: asked, on, span: wanted, openId, handle, onGo, onOpen, onCreate, onEscape }: ViewProps) {
  const field = date!
  const { t } = useTranslation()
  const locale = useLocale()
  const narrow = useNarrow()
  const hint = useId()
  const today = todayIn(locale.zone)
  const day = isDay(on) ? on : today
  const span: Span = SPANS.find((s) => s === wanted) ?? (narrow ? 'agenda' : 'month')
  const first = firstWeekday(locale.locale)
  const days = useMemo(() => (span === 'month' ? month(day, first) : span === 'week' ? week(day, first) : monthOnly(day)), [span, day, first])
  const scroller = useRef<HTMLDivElement>(null)
  const ghost = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState<Held | null>(null)
  const holding = useRef(held)
  holding.current = held
  const [said, setSaid] = useState('')
  const byKeys = useRef(false)

  const state = entity.states ? fieldOf(entity, entity.states.field) : undefined
  const second = columns.find((f) => f.type === 'relation' && f.name !== entity.title_field)
  const timed = field.type === 'datetime'
  const from = days[0]!
  const to = days.at(-1)!
  const params = useMemo<records.ListParams>(() => {
    const range: [string | null, string | null] = timed ? [localToInstant(`${from}T00:00`, locale.zone), localToInstant(`${to}T23:59:59`, locale.zone)] : [from, to]
    const filter: Condition = { operator: 'AND', rules: [...(asked.filter ? [asked.filter] : []), { field: field.name, operator: 'between', value: range }] }
    return { filter, ...(asked.q ? { q: asked.q } : {}), sort: `${field.name},id`, fields: listFields(entity, [field, ...(state ? [state] : []), ...(second ? [second] : [])]), limit: MOST, count: 'none' }
  }, [asked, entity, field, state, second, from, to, timed, locale.zone])
  const key = ['calendar', entity.name, params]
  const { data, error, isPending, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => records.list(entity.name, params, signal), staleTime: 20_000 })
  const dayOf = (row: Row): string => (timed ? instantToLocal(String(row[field.name]), locale.zone) : String(row[field.name])).slice(0, 10)
  const rows = data?.data ?? []
  const placed = byDay(rows, dayOf)
  const may = entity.can.update && editable(field)
  const dated = (d: string) => formatDate(d, locale)

  const focusIn = (selector: string, tries = 12) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(selector); if (el) el.focus(); else if (tries) focusIn(selector, tries - 1) })
  useImperativeHandle(handle, () => ({ focus: () => focusIn(`[data-day="${day}"]`), step: (id, by) => rows[rows.findIndex((r) => r.id === id) + by] }))
  useEffect(() => { if (byKeys.current) { byKeys.current = false; focusIn(`[data-day="${day}"]`) } }, [day])

  const move = async ({ row, from: was, over }: Held) => {
    const title = titleOf(entity, row)
    const value = timed ? localToInstant(`${over}T${instantToLocal(String(row[field.name]), locale.zone).slice(11)}`, locale.zone) : over
    const put = (v: unknown) => queryClient.setQueryData<records.Page>(key, (d) => d && { ...d, data: d.data.map((r) => (r.id === row.id ? { ...r, [field.name]: v } : r)) })
    const label = t('calendar.moved', { title, day: dated(over) })
    // Shown at once, taken back if the server says no.
    put(value)
    focusIn(`[data-day="${over}"] [data-event="${row.id}"]`)
    try {
      await saveFields(entity, row, { [field.name]: value }, label)
      setSaid(label)
    } catch (e) {
      put(row[field.name])
      setSaid(t('calendar.refused', { title, day: dated(was), why: messageOf(e) }))
      toast.error(`${title}: ${messageOf(e)}`, { duration: 9000 })
      focusIn(`[data-event="${row.id}"]`)
    } finally { records.refresh(entity.name) }
  }
  const take = (row: Row, keys: boolean): boolean => {
    if (!may) return false
    setHeld({ row, from: dayOf(row), over: dayOf(row), keys })
    setSaid(t('calendar.taken', { title: titleOf(entity, row), day: dated(dayOf(row)) }))
    return true
  }
  const letGo = () => { const h = holding.current; if (h) setSaid(t('calendar.left', { title: titleOf(entity, h.row), day: dated(h.from) })); setHeld(null) }
  const drop = () => { const h = holding.current; if (!h) return; if (h.over === h.from) letGo(); else { setHeld(null); void move(h) } }
  const overDay = (d: string | null) => { const h = holding.current; if (h && (d ?? h.from) !== h.over) { setHeld({ ...h, over: d ?? h.from }); setSaid(t('calendar.over', { day: dated(d ?? h.from) })) } }
  const grab = useCarry<Row>(scroller, ghost, '[data-day]', { take: (row) => take(row, false), over: (el) => overDay(el ? el.dataset.day! : null), drop, cancel: letGo })

  const go = (d: string, as?: Span) => onGo(d, as)
  const page = (by: number) => go(span === 'week' ? addDays(day, 7 * by) : addMonths(day, by))
  const step = (e: React.KeyboardEvent): number => {
    const rtl = getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1
    return e.key === 'ArrowRight' ? rtl : e.key === 'ArrowLeft' ? -rtl : e.key === 'ArrowDown' ? 7 : e.key === 'ArrowUp' ? -7 : 0
  }
  const dayKeys = (e: React.KeyboardEvent, d: string) => {
    if (e.target !== e.currentTarget || e.metaKey || e.ctrlKey || e.altKey) return
    const by = step(e)
    const next = by ? addDays(d, by) : e.key === 'PageDown' ? addMonths(d, 1) : e.key === 'PageUp' ? addMonths(d, -1) : null
    if (next) { e.preventDefault(); byKeys.current = true; go(next) } else if (e.key === 'Enter') {
      e.preventDefault()
      const one = scroller.current?.querySelector<HTMLElement>(`[data-day="${d}"] [data-event]`)
      if (one) one.focus(); else if (entity.can.create) onCreate(preset(d))
    } else if (e.key === 'Escape') onEscape()
  }
  const eventKeys = (e: React.KeyboardEvent, row: Row) => {
    if (e.metaKey || e.ctrlKey || e.altKey) return
    const by = step(e)
    const carried = held?.keys && held.row.id === row.id
    const handled = (f: () => void) => { e.preventDefault(); e.stopPropagation(); f() }
    if (carried && by) handled(() => { const next = addDays(held.over, by); if (days.includes(next)) overDay(next) })
    else if (carried && (e.key === 'Enter' || e.key === ' ')) handled(drop)
    else if (carried && e.key === 'Escape') handled(letGo)
    else if (carried && e.key === 'Tab') letGo()
    else if (e.key === 'Enter' || e.key === 'o') handled(() => onOpen(row))
    else if (e.key === ' ') handled(() => void take(row, true))
    else if (e.key === 'Escape') handled(() => focusIn(`[data-day="${dayOf(row)}"]`))
    else if (by) handled(() => { const all = [...scroller.current!.querySelectorAll<HTMLElement>('[data-event]')]; all[all.findIndex((x) => x.dataset.event === row.id) + Math.sign(by)]?.focus() })
  }
  const preset = (d: string) => ({ [field.name]: timed ? localToInstant(`${d}T09:00`, locale.zone) : d })

  const words = (row: Row) => <><span className="font-medium txt" style={{ flex: '0 1 auto' }}>{titleOf(entity, row)}</span>{second && row[second.name] ? <span className="txt flex-1 min-w-0">{createElement(typeOf(second).Cell, { field: second, value: row[second.name], record: row, locale, plain: true })}</span> : null}</>
  const event = (row: Row, tab: boolean) => (
    <div key={row.id} role="button" tabIndex={tab ? 0 : -1} data-event={row.id} aria-describedby={hint} onPointerDown={(e) => grab(e, row)} onClick={(e) => { e.stopPropagation(); onOpen(row) }} onKeyDown={(e) => eventKeys(e, row)}
      className={clsx('chip cal-event', hueName(entity.states?.options.find((o) => o.id === row[entity.states!.field])), row.id === openId && 'open', row.id === held?.row.id && (held.keys ? 'held' : 'taken'))}>{words(row)}</div>
  )
  // A narrow screen has no room for seven days side by side: there they lie one under another.
  const stacked = span === 'agenda' || (span === 'week' && narrow)
  const add = (d: string, tab: boolean) => entity.can.create && <button type="button" tabIndex={tab ? 0 : -1} className={clsx('btn ghost icon sm', !stacked && 'cal-add max-md:hidden')} style={stacked ? {} : { height: 22, minHeight: 22 }} aria-label={t('calendar.newOn', { name: entity.label, day: dated(d) })} onClick={() => onCreate(preset(d))}><Plus size={13} /></button>
  const cell = (d: string) => {
    const here = placed.get(d) ?? []
    const shown = span === 'month' ? (narrow ? [] : here.slice(0, here.length > IN_CELL ? IN_CELL - 1 : IN_CELL)) : here
    const tab = d === day
    return (
      <div key={d} role="gridcell" data-day={d} tabIndex={tab ? 0 : -1} aria-current={d === today ? 'date' : undefined} className={clsx('cal-day', span === 'month' && d.slice(0, 7) !== day.slice(0, 7) && 'out', held?.over === d && held.over !== held.from && 'over')}
        onKeyDown={(e) => dayKeys(e, d)} onDoubleClick={() => entity.can.create && onCreate(preset(d))}>
        <div className="cal-top">{add(d, tab)}<span className="visually-hidden">{dated(d)}</span><span className={clsx('cal-num', d === today && 'now')} aria-hidden="true">{Number(d.slice(8))}</span></div>
        {shown.map((r) => event(r, tab))}
        {here.length > shown.length && <button type="button" tabIndex={tab || narrow ? 0 : -1} className="btn ghost sm" style={{ height: 24, minHeight: 24, justifyContent: narrow ? 'center' : 'flex-start' }} aria-label={t('calendar.rest', { n: here.length - shown.length, day: dated(d) })} onClick={() => go(d, narrow ? 'agenda' : 'week')}>{shown.length > 0 && '+'}{formatNumber(here.length - shown.length, locale)}</button>}
      </div>
    )
  }
  const weeks = span === 'month' ? Array.from({ length: days.length / 7 }, (_, i) => days.slice(i * 7, i * 7 + 7)) : [days]
  const weekday = new Intl.DateTimeFormat(locale.locale, { weekday: 'short', timeZone: 'UTC' })
  const title = new Intl.DateTimeFormat(locale.locale, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(day + 'T00:00:00Z'))
  return (
    <>
      <div className="flex items-center gap-1.5 px-3 h-11 flex-none border-b border-line max-md:h-13">
        <h2 className="m-0 text-base font-semibold flex-1 truncate first-letter:uppercase" aria-live="polite">{title}</h2>
        <div role="group" aria-label={t('calendar.span')} className="flex rounded-md border border-line">{SPANS.map((s) => <button key={s} type="button" className={clsx('btn ghost sm', s === span ? 'on' : 'text-muted')} aria-pressed={s === span} onClick={() => go(day, s)}>{t(`calendar.${s}`)}</button>)}</div>
        <button type="button" className="btn sm max-md:hidden" onClick={() => go(today)}>{t('calendar.today')}</button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.before')} onClick={() => page(-1)}><ChevronLeft size={15} className="rtl:scale-x-[-1]" /></button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.after')} onClick={() => page(1)}><ChevronRight size={15} className="rtl:scale-x-[-1]" /></button>
      </div>
      {data?.next && <p className="m-0 px-3 py-1.5 text-warn border-b border-line" role="status">{t('calendar.cut', { n: formatNumber(MOST, locale) })}</p>}
      {error ? <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div> : stacked ? (
        <div ref={scroller} className="cal cal-agenda px-4 py-2" role="group" aria-label={t('calendar.label', { name: entity.plural })}>
          {isPending ? <Skeleton /> : rows.length === 0 && span === 'agenda' ? <Empty title={t('calendar.none')} /> : days.filter((d) => span === 'week' || placed.has(d)).map((d) => (
            <section key={d} data-day={d} tabIndex={-1} className={clsx('py-1.5 px-2 -mx-2 border-b border-line rounded-sm', held?.over === d && held.over !== held.from && 'bg-sel')} aria-label={dated(d)}>
              <div className="flex items-center min-h-7"><h3 className={clsx('m-0 flex-1 text-xs font-semibold', d === today ? 'text-accent-text' : 'text-muted')}>{weekday.format(new Date(d + 'T00:00:00Z'))}, {dated(d)}</h3>{add(d, true)}</div>
              <div className="space-y-1">{placed.get(d)?.map((r) => event(r, true))}</div>
            </section>
          ))}
        </div>
      ) : (
        <div ref={scroller} className="cal" role="grid" aria-label={t('calendar.label', { name: entity.plural })} aria-busy={isPending}>
          <div role="row" className="cal-week head">{days.slice(0, 7).map((d) => <div key={d} role="columnheader">{weekday.format(new Date(d + 'T00:00:00Z'))}</div>)}</div>
          {weeks.map((w) => <div key={w[0]} role="row" className="cal-week">{w.map(cell)}</div>)}
        </div>
      )}
      <p id={hint} className="visually-hidden">{t('calendar.hint')}</p>
      <div role="status" aria-live="assertive" className="visually-hidden">{said}</div>
      {held && !held.keys && createPortal(<div ref={ghost} className="chip cal-event ghosted" aria-hidden="true">{words(held.row)}</div>, document.querySelector('main') ?? document.body)}
    </>
  )
}
