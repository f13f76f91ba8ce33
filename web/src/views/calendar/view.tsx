import './calendar.css'
import { useQuery } from '@tanstack/react-query'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { clsx } from 'clsx'
import { createElement, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import type { ListParams } from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatNumber, useLocale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { editable, listFields, titleOf } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { Failure, hueName } from '@/ui/basics'
import { addDays, addMonths, daysFrom, firstWeekday, isDay, month, monthOnly, week } from '../days'
import type { ViewProps } from '../kind'
import { Agenda } from './agenda'
import { colourOf, move, optionOf, useNearest, windowOf, within } from './data'
import { useGesture } from '../gesture'
import { HoursGrid } from './hours-grid'
import { MonthGrid } from './month'
import { itemsOf, type Calendar, type Held, type Item } from './shape'
import { byDays, byMinutes, changesOf, edgeToDay, edgeToInstant, instant, isTimed, todayIn, type Edge, type Times, type When } from './when'
import { Series } from './series'
import { dates, sayDay, sayDays, sayTime, sayWhen } from './words'

const MOST = 2000
const SPANS = ['month', 'week', 'day', 'agenda'] as const
type Span = (typeof SPANS)[number]

export default function CalendarView({ entity, by, options, columns, params: asked, on, span: wanted, openId, handle, onGo, onOpen, onCreate, onEscape }: ViewProps) {
  const start = by.date!
  const end = by.end && by.end.name !== start.name ? by.end : undefined
  const { t } = useTranslation()
  const locale = useLocale()
  const { zone } = locale
  const narrow = useNarrow()
  const hint = useId()
  const today = todayIn(zone)
  const day = isDay(on) ? on : today
  const span: Span = SPANS.find((s) => s === wanted) ?? (narrow ? 'agenda' : 'month')
  const first = firstWeekday(locale.locale)
  const days = useMemo(() => (span === 'month' ? month(day, first) : span === 'week' ? week(day, first) : span === 'day' ? [day] : monthOnly(day)), [span, day, first])
  const scroller = useRef<HTMLDivElement>(null)
  const ghost = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState<Held | null>(null)
  const holding = useRef(held)
  holding.current = held
  const [said, setSaid] = useState('')
  const [series, setSeries] = useState<Held | null>(null)
  const byKeys = useRef(false)
  const gesture = useGesture(scroller)

  const times = useMemo<Times>(() => ({ start, end, zone }), [start, end, zone])
  const timed = isTimed(times)
  const colour = colourOf(entity, by.colour, options)
  const second = columns.find((f) => f.type === 'relation' && f.name !== entity.title_field)
  const from = days[0]!
  const to = days.at(-1)!
  // The one field that says it, unless another or none was chosen; this part is not in the first load.
  const again = by.recurrence ?? (options.recurrence === '' ? undefined : entity.fields.find((f) => f.type === 'recurrence'))
  const params = useMemo<ListParams>(() => ({
    ...(again ? { ...(asked.filter ? { filter: asked.filter } : {}), occurs: JSON.stringify({ start: start.name, ...(end ? { end: end.name } : {}), recurrence: again.name, from, to: addDays(to, 1) }) } : { filter: within(asked, times, from, to) }), ...(asked.q ? { q: asked.q } : {}), sort: `${start.name},id`,
    fields: listFields(entity, [start, end, again, colour, second].filter((f) => !!f)),
  }), [asked, entity, times, start, end, again, colour, second, from, to])
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['calendar', entity.name, params], queryFn: ({ signal }) => windowOf(entity.name, params, MOST, signal), staleTime: 20_000 })
  const items = useMemo(() => (data?.data ?? []).flatMap((row) => itemsOf(row, times)), [data, times])
  const nothing = !isPending && !error && !items.length
  const near = useNearest(entity, asked, times, from, to, nothing)
  const mayMove = entity.can.update && editable(start)
  const maySize = entity.can.update && !!end && editable(end)

  const focusIn = (selector: string, tries = 12) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(selector); if (el) el.focus(); else if (tries) focusIn(selector, tries - 1) })
  useImperativeHandle(handle, () => ({ focus: () => focusIn(`[data-day="${day}"]`), step: (id, way) => items[items.findIndex((x) => x.row.id === id) + way]?.row }))
  useEffect(() => { if (byKeys.current) { byKeys.current = false; focusIn(`[data-day="${day}"]`) } }, [day])

  const save = async ({ row, was, now, keys }: Held, changes = changesOf(row, was, now, times)) => {
    const title = titleOf(entity, row)
    const label = same(was, now) ? t('rec.skipped', { name: title, day: sayWhen(was, locale) }) : t('calendar.moved', { title, day: sayWhen(now, locale) })
    const moved = move(entity, row, changes, label, sayWhen(was, locale), setSaid)
    if (keys) focusIn(`[data-event="${row.id}"]`)
    if (!(await moved)) focusIn(`[data-event="${row.id}"]`)
  }
  const take = ({ row, when }: Item, mode: Held['mode'], keys: boolean): boolean => {
    // What has an end is moved with it.
    if (mode === 'move' ? !mayMove || (!!end && !when.open && !maySize) : mode === 'start' ? !mayMove : !maySize) return false
    setHeld({ row, was: when, now: when, mode, keys })
    setSaid(t('calendar.taken', { title: titleOf(entity, row), day: sayWhen(when, locale) }) + (keys && maySize ? ' ' + t('calendar.longer') : ''))
    return true
  }
  const same = (a: When, b: When) => a.from === b.from && a.to === b.to && a.at === b.at && a.till === b.till && a.open === b.open
  const put = (now: When) => { const h = holding.current; if (!h || same(h.now, now)) return; setHeld({ ...h, now }); setSaid(t('calendar.over', { day: sayWhen(now, locale) })) }
  const letGo = () => { const h = holding.current; if (h) setSaid(t('calendar.left', { title: titleOf(entity, h.row), day: sayWhen(h.was, locale) })); setHeld(null) }
  const drop = () => { const h = holding.current; if (!h) return; if (same(h.was, h.now)) letGo(); else { setHeld(null); if (again && h.row[again.name]) setSeries(h); else void save(h) } }

  const go = (d: string, as?: Span) => onGo(d, as)
  const page = (n: number) => go(span === 'week' ? addDays(day, 7 * n) : span === 'day' ? addDays(day, n) : addMonths(day, n))
  const side = (e: React.KeyboardEvent) => (getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1)
  const steps = (e: React.KeyboardEvent): number => (e.key === 'ArrowRight' ? side(e) : e.key === 'ArrowLeft' ? -side(e) : e.key === 'ArrowDown' ? 7 : e.key === 'ArrowUp' ? -7 : 0)

  /** A record made over these days, or from one instant to another. */
  const create = (a: string, b: string, at?: number, till?: number) => {
    const value = (f: typeof start, d: string, wall: string, ms: number | undefined) => (f.type === 'date' ? d : new Date(ms ?? instant(`${d}T${wall}`, zone)).toISOString())
    const ends = end && (b !== a || till !== undefined)
    onCreate({ [start.name]: value(start, a, '09:00', at), ...(ends ? { [end.name]: value(end, b, '18:00', till) } : {}) })
  }
  const dayKeys = (e: React.KeyboardEvent, d: string) => {
    if (e.target !== e.currentTarget || e.metaKey || e.ctrlKey || e.altKey) return
    const n = span === 'day' && timed && /Up|Down/.test(e.key) ? 0 : steps(e)
    const next = n ? addDays(d, n) : e.key === 'PageDown' ? addMonths(d, 1) : e.key === 'PageUp' ? addMonths(d, -1) : null
    if (next) { e.preventDefault(); byKeys.current = true; go(next) } else if (e.key === 'Enter') {
      e.preventDefault()
      const one = [...scroller.current!.querySelectorAll<HTMLElement>('[data-event]')].find((x) => x.dataset.from! <= d && x.dataset.to! >= d)
      if (one) one.focus(); else if (entity.can.create) create(d, d)
    } else if (e.key === 'Escape') onEscape()
  }
  /** The keys of something carried: whole days, or quarters of an hour where the hours are seen. */
  const carried = (e: React.KeyboardEvent, h: Held): When | null => {
    const n = steps(e)
    if (!n) return null
    const fine = timed && (span === 'week' || span === 'day') && /Up|Down/.test(e.key)
    const minutes = e.key === 'ArrowDown' ? 15 : -15
    if (e.shiftKey) {
      if (!maySize) return null
      return fine ? edgeToInstant(h.now, 'end', h.now.till! + minutes * 6e4, zone) : edgeToDay(h.now, 'end', addDays(h.now.to, n), zone)
    }
    const next = fine ? byMinutes(h.now, minutes, zone) : byDays(h.now, n, zone)
    return next.to < from || next.from > to ? h.now : next
  }
  const eventKeys = (e: React.KeyboardEvent, item: Item) => {
    if (e.metaKey || e.ctrlKey || e.altKey) return
    const h = held?.keys && held.row.id === item.row.id ? held : null
    const handled = (f: () => void) => { e.preventDefault(); e.stopPropagation(); f() }
    if (h) {
      const next = carried(e, h)
      if (next) handled(() => put(next))
      else if (e.key === 'Enter' || e.key === ' ') handled(drop)
      else if (e.key === 'Escape') handled(letGo)
      else if (e.key === 'Tab') letGo()
      return
    }
    const n = steps(e)
    if (e.key === 'Enter' || e.key === 'o') handled(() => onOpen(item.row))
    else if (e.key === 'Delete' && again && item.row[again.name] && editable(again)) handled(() => setSeries({ row: item.row, was: item.when, now: item.when, mode: 'move', keys: true }))
    else if (e.key === ' ') handled(() => void take(item, 'move', true))
    else if (e.key === 'Escape') handled(() => focusIn(`[data-day="${item.when.from < from ? from : item.when.from}"]`))
    else if (n) handled(() => { const all = [...scroller.current!.querySelectorAll<HTMLElement>('[data-event]')]; all[all.indexOf(e.currentTarget as HTMLElement) + Math.sign(n)]?.focus() })
  }

  const dayUnder = (x: number, y: number): string | null => document.elementsFromPoint(x, y).map((el) => (el as HTMLElement).dataset.day).find((d) => !!d) ?? null
  /** Carrying over days: it follows by as many days as the pointer went. */
  const grabDays = (e: React.PointerEvent<HTMLElement>, item: Item, mode: Held['mode']) => {
    e.stopPropagation()
    let begun: string | null = null
    gesture(e, {
      take: (p) => { begun = dayUnder(p.x, p.y); return begun !== null && take(item, mode, false) },
      move: (p) => {
        const d = dayUnder(p.x, p.y)
        if (!begun) return
        put(d === null ? item.when : mode === 'move' ? byDays(item.when, daysFrom(begun, d), zone) : edgeToDay(item.when, mode, d, zone))
      },
      drop, cancel: letGo, atOnce: mode !== 'move', along: 'y', ...(mode === 'move' ? { ghost } : {}),
    })
  }

  const colourWord = (row: Row) => optionOf(entity, colour, row)?.label
  const words = (item: Item, withTime = false) => <>
    {withTime && item.when.at !== undefined && <span className="num cal-time">{sayTime(item.when.at, locale)}</span>}
    <span className="font-medium txt" style={{ flex: '0 1 auto' }}>{titleOf(entity, item.row)}</span>
    {second && item.row[second.name] ? <span className="txt flex-1 min-w-0">{createElement(typeOf(second).Cell, { field: second, value: item.row[second.name], record: item.row, locale, plain: true })}</span> : null}
    {colourWord(item.row) && <span className="visually-hidden">, {colourWord(item.row)}</span>}
    {item.when.from !== item.when.to && <span className="visually-hidden">, {sayWhen(item.when, locale)}</span>}
  </>
  const grip = (edge: Edge, down: (e: React.PointerEvent<HTMLElement>) => void) => (edge === 'start' ? mayMove : maySize) && <span className={clsx('cal-grip', edge)} aria-hidden="true" onPointerDown={down} onClick={(e) => e.stopPropagation()} />
  const event: Calendar['event'] = (item, tab, className, style, inside) => (
      <div key={item.row.id} role="button" tabIndex={tab ? 0 : -1} data-event={item.row.id} data-from={item.when.from} data-to={item.when.to} aria-describedby={hint} style={style}
        title={[titleOf(entity, item.row), colourWord(item.row), sayWhen(item.when, locale)].filter(Boolean).join(' · ')} onClick={(e) => { e.stopPropagation(); onOpen(item.row) }} onDoubleClick={(e) => e.stopPropagation()} onKeyDown={(e) => eventKeys(e, item)}
        className={clsx('chip cal-event', hueName(optionOf(entity, colour, item.row)), className, item.row.id === openId && 'open', item.row.id === held?.row.id && (held.keys ? 'held' : 'taken'))} {...inside} />
  )
  const cal: Calendar = {
    entity, locale, items, days, day, today, span, times, held, openId, narrow, pending: isPending, second, mayCreate: entity.can.create, label: t('calendar.label', { name: entity.plural }), scroller, gesture,
    hue: (row) => hueName(optionOf(entity, colour, row)), words, grip, grabDays, take, put, drop, letGo, dayKeys, create, go, over: (d) => !!held && !same(held.was, held.now) && held.now.from <= d && held.now.to >= d,
    event,
  }

  const title = span === 'day' ? sayDay(day, locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }) : span === 'week' ? sayDays(from, to, locale) : dates(locale, 'UTC', { month: 'long', year: 'numeric' }).format(new Date(day + 'T00:00:00Z'))
  return (
    <>
      <div className="flex items-center gap-1.5 px-3 h-11 flex-none border-b border-line max-md:h-13 no-print">
        <h2 className="m-0 text-base font-semibold flex-1 truncate first-letter:uppercase" aria-live="polite">{title}</h2>
        {narrow ? <select className="input flex-none" style={{ width: 'auto' }} aria-label={t('calendar.span')} value={span} onChange={(e) => go(day, e.target.value as Span)}>{SPANS.map((s) => <option key={s} value={s}>{t(`calendar.${s}`)}</option>)}</select>
          : <div role="group" aria-label={t('calendar.span')} className="flex rounded-md border border-line">{SPANS.map((s) => <button key={s} type="button" className={clsx('btn ghost sm', s === span ? 'on' : 'text-muted')} aria-pressed={s === span} onClick={() => go(day, s)}>{t(`calendar.${s}`)}</button>)}</div>}
        <button type="button" className="btn sm max-md:hidden" onClick={() => go(today)}>{t('calendar.today')}</button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.before')} onClick={() => page(-1)}><ChevronLeft size={15} className="rtl:scale-x-[-1]" /></button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.after')} onClick={() => page(1)}><ChevronRight size={15} className="rtl:scale-x-[-1]" /></button>
      </div>
      {(data?.next || data?.cut) && <p className="m-0 px-3 py-1.5 text-warn border-b border-line" role="status">{t('calendar.cut', { n: formatNumber(MOST, locale) })}</p>}
      {nothing && (
        <p className="m-0 px-3 py-1.5 flex items-center gap-2 flex-wrap border-b border-line text-muted" role="status">{t('calendar.none')}
          {[near?.before, near?.after].map((d) => d && <button key={d} type="button" className="btn sm" onClick={() => go(d)}>{t('calendar.show', { day: sayDays(d, d, locale) })}</button>)}
        </p>
      )}
      {error ? <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
        : timed && (span === 'day' || (span === 'week' && !narrow)) ? <HoursGrid cal={cal} />
          // A narrow screen has no room for seven days side by side: there they lie one under another.
          : span === 'agenda' || span === 'day' || (span === 'week' && narrow) ? <Agenda cal={cal} />
            : <MonthGrid cal={cal} />}
      {series && again && <Series entity={entity} held={series} field={again} times={times} locale={locale} same={same(series.was, series.now)} onClose={() => { setSeries(null); if (series.keys) focusIn(`[data-event="${series.row.id}"]`) }} onSave={(changes) => { setSeries(null); void save(series, changes) }} />}
      <p id={hint} className="visually-hidden">{t('calendar.hint')}{maySize ? ' ' + t('calendar.longer') : ''}</p>
      <div role="status" aria-live="assertive" className="visually-hidden">{said}</div>
      {held && !held.keys && held.mode === 'move' && !(timed && (span === 'week' || span === 'day')) && createPortal(<div ref={ghost} className={clsx('chip cal-event ghosted', hueName(optionOf(entity, colour, held.row)))} aria-hidden="true">{words({ row: held.row, when: held.was })}</div>, document.querySelector('main') ?? document.body)}
    </>
  )
}
