import './timeline.css'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ChevronDown, ChevronLeft, ChevronRight, Minus, Plus, Route } from 'lucide-react'
import { createElement, memo, useEffect, useId, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from 'react'
import { createPortal, flushSync } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { get, messageOf } from '@/api/http'
import type { ListParams } from '@/api/records'
import * as records from '@/api/records'
import { isEmpty, typeOf } from '@/fields/registry'
import { formatDate, formatNumber, formatPercent, instantToLocal, useLocale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { toast } from '@/lib/toast'
import { editable, fieldOf, listFields, titleOf, titlePath, expandKey } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { Dialog, Failure, hueName, Labelled } from '@/ui/basics'
import { colourOf, move, optionOf, useNearest, within } from '../calendar/data'
import { placeAt, useGesture } from '../gesture'
import { byDays, changesOf, edgeToDay, todayIn, whenOf, type Edge, type Times, type When } from '../calendar/when'
import { sayDay, sayDays, sayWhen } from '../calendar/words'
import { addDays, daysFrom, firstWeekday, isDay, weekendOf } from '../days'
import type { ViewProps } from '../kind'
import { circle } from './circle'
import { Lines, useGroups, usePages } from './rows'
import { inSight, restDays, scaleOf, ZOOMS, type Zoom } from './scale'

const ROW = 34
interface Held { row: Row; was: When; now: When; mode: 'move' | Edge; keys: boolean }
interface Tip { row: Row; x: number; y: number }

export default function Timeline({ entity, by, options, columns, params: asked, on, span, openId, handle, onGo, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { zone } = locale
  const narrow = useNarrow()
  const hint = useId()
  const pick = (key: string) => (options[key] === '' ? undefined : by[key])
  const start = by.start!
  const chosenEnd = pick('end')
  const end = chosenEnd && chosenEnd.name !== start.name ? chosenEnd : undefined
  const [group, progress, pred, planFrom, planTo] = [pick('group'), pick('progress'), pick('predecessor'), pick('baseline_start'), pick('baseline_end')]
  const colour = colourOf(entity, by.colour, options)
  const second = columns.find((f) => f.type === 'relation' && f.name !== entity.title_field && f.name !== group?.name && f.name !== pred?.name)
  const times = useMemo<Times>(() => ({ start, end, zone }), [start, end, zone])
  const plan = useMemo<Times | null>(() => (planFrom ? { start: planFrom, end: planTo, zone } : null), [planFrom, planTo, zone])

  const today = todayIn(zone)
  const day = isDay(on) ? on : today
  const zoom: Zoom = ZOOMS.find((z) => z === span) ?? 'week'
  const scale = useMemo(() => scaleOf(zoom, day, firstWeekday(locale.locale)), [zoom, day, locale.locale])
  const rest = useMemo(() => restDays(scale, weekendOf(locale.locale)), [scale, locale.locale])
  const { px } = scale
  const width = Math.round(scale.days * px)
  const side = narrow ? 124 : 260
  const x = (d: string) => daysFrom(scale.from, d) * px

  // ---- what there is -------------------------------------------------------------------------------------------------
  // Only what touches the days in sight is asked for; as one goes on, the rest.
  const [sight, setSight] = useState<{ from: string; to: string } | null>(null)
  const [critical, setCritical] = useState(false)
  const [from, to] = [sight?.from, sight?.to]
  const filter = useMemo(() => (from && to ? within(asked, times, from, to) : null), [asked, times, from, to])
  const { groups, of, error: countError, retry: recount } = useGroups(entity, filter, asked.q, group, times, t('timeline.nobody'), t('yes'), t('no'))
  const [shut, setShut] = useState<Set<string>>(new Set())
  const lines = useMemo(() => new Lines(groups ?? [], !!group, shut), [groups, group, shut])
  const count = (groups ?? []).reduce((n, g) => n + g.n, 0)
  const params = useMemo<ListParams>(() => ({
    filter: of, ...(asked.q ? { q: asked.q } : {}), sort: asked.sort ?? `${start.name},id`,
    fields: listFields(entity, [start, end, progress, pred, planFrom, planTo, colour, second].filter((f) => !!f)),
  }), [of, asked, entity, start, end, progress, pred, planFrom, planTo, colour, second])
  const scroller = useRef<HTMLDivElement>(null)
  const [printing, setPrinting] = useState(false)
  const virtual = useVirtualizer({ count: lines.total, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: printing ? 150 : 6, scrollMargin: 0 })
  const seen = virtual.getVirtualItems()
  const pages = usePages(entity.name, params, lines, seen[0]?.index ?? 0, seen.at(-1)?.index ?? 0)
  useEffect(() => {
    const before = () => { scroller.current?.style.setProperty('--gone', `${scroller.current.scrollLeft}px`); flushSync(() => setPrinting(true)) }
    const after = () => setPrinting(false)
    addEventListener('beforeprint', before); addEventListener('afterprint', after)
    return () => { removeEventListener('beforeprint', before); removeEventListener('afterprint', after) }
  }, [])
  const nothing = groups !== null && count === 0
  const near = useNearest(entity, asked, times, from ?? scale.from, to ?? scale.to, nothing)
  const loaded = pages.rows()
  const at = new Map(loaded.map((r) => [r.row.id, r]))
  const known = useRef(at)
  known.current = at
  const afterOf = (row: Row): string[] => (pred && !isEmpty(row[pred.name]) ? [String(row[pred.name])] : [])
  // Of all that is asked for, not only of what is in sight: the server knows it.
  const chain = useQuery({
    queryKey: ['calendar', entity.name, 'critical', asked.filter, asked.q, start.name, end?.name, pred?.name], enabled: critical && !!pred, staleTime: 20_000, placeholderData: keepPreviousData,
    queryFn: ({ signal }) => get<{ path: string[] | null; days: number | null }>(`${records.pathOf(entity.name)}/_critical`, { start: start.name, end: end?.name, after: pred!.name, filter: asked.filter ? JSON.stringify(asked.filter) : undefined, q: asked.q }, signal),
  })
  const path = useMemo(() => new Set(critical ? chain.data?.path : []), [critical, chain.data])

  // ---- where one looks -----------------------------------------------------------------------------------------------
  const rtl = () => (scroller.current && getComputedStyle(scroller.current).direction === 'rtl' ? -1 : 1)
  const lookAt = (d: string, share = 0.25) => { const el = scroller.current; if (el) el.scrollLeft = rtl() * Math.max(0, x(d) - (el.clientWidth - side) * share) }
  const look = () => {
    const el = scroller.current
    if (!el || holding.current) return
    const next = inSight(scale, Math.abs(el.scrollLeft), el.clientWidth - side)
    setSight((old) => (old && old.from === next.from && old.to === next.to ? old : next))
  }
  const soon = useRef<ReturnType<typeof setTimeout>>(undefined)
  const scrolled = () => { if (tip) setTip(null); clearTimeout(soon.current); soon.current = setTimeout(look, 160) }
  useLayoutEffect(() => { lookAt(day); look() }, [scale, side])
  useEffect(() => () => clearTimeout(soon.current), [])
  const seenDays = () => ((scroller.current?.clientWidth ?? 900) - side) / px
  const middle = () => { const el = scroller.current; return el ? addDays(scale.from, Math.round(Math.abs(el.scrollLeft) / px + seenDays() / 4)) : day }
  const page = (way: number) => onGo(addDays(middle(), Math.round(way * seenDays() * 0.75)))
  const zoomTo = (z: Zoom) => onGo(middle(), z)
  const nearer = (way: number) => { const z = ZOOMS[ZOOMS.indexOf(zoom) - way]; if (z) zoomTo(z) }
  const goToday = () => (day === today ? lookAt(today) : onGo(today))

  // ---- focus ---------------------------------------------------------------------------------------------------------
  const [active, setActive] = useState(0)
  const focusLine = (i: number, tries = 30) => {
    const to = Math.max(0, Math.min(lines.total - 1, i))
    if (tries === 30) { setActive(to); virtual.scrollToIndex(to) }
    requestAnimationFrame(() => {
      const el = scroller.current?.querySelector<HTMLElement>(`[data-line="${to}"] [data-focus]`)
      if (!el) { if (tries) focusLine(to, tries - 1); return }
      el.focus({ preventScroll: true })
      const from = Number(el.dataset.x ?? NaN)
      const box = scroller.current!
      const seenFrom = Math.abs(box.scrollLeft)
      if (!Number.isNaN(from) && (from < seenFrom || from > seenFrom + box.clientWidth - side - 40)) box.scrollLeft = rtl() * Math.max(0, from - (box.clientWidth - side) / 4)
    })
  }
  const focusBar = (id: string, tries = 30) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-bar="${id}"]`); if (el) el.focus({ preventScroll: true }); else if (tries) focusBar(id, tries - 1) })
  useImperativeHandle(handle, () => ({ focus: () => focusLine(active), step: (id, way) => { const here = at.get(id); return here && loaded.find((r) => r.index === here.index + way)?.row } }))

  // ---- change --------------------------------------------------------------------------------------------------------
  const gesture = useGesture(scroller)
  const [held, setHeld] = useState<Held | null>(null)
  const holding = useRef(held)
  holding.current = held
  const [said, setSaid] = useState('')
  const [tip, setTip] = useState<Tip | null>(null)
  const hover = useRef<ReturnType<typeof setTimeout>>(undefined)
  const mayMove = entity.can.update && editable(start)
  const maySize = entity.can.update && !!end && editable(end)
  const mayLink = entity.can.update && !!pred && editable(pred)
  const write = (row: Row, changes: Record<string, unknown>, label: string, was: string) => move(entity, row, changes, label, was, setSaid)
  const same = (a: When, b: When) => a.from === b.from && a.to === b.to && a.at === b.at && a.till === b.till && a.open === b.open
  const take = (row: Row, mode: Held['mode'], keys: boolean): boolean => {
    const was = whenOf(row, times)
    if (!was || (mode === 'move' ? !mayMove || (!!end && !was.open && !maySize) : mode === 'start' ? !mayMove : !maySize)) return false
    setTip(null)
    setHeld({ row, was, now: was, mode, keys })
    setSaid(t('calendar.taken', { title: titleOf(entity, row), day: sayWhen(was, locale) }) + (keys && maySize ? ' ' + t('calendar.longer') : ''))
    return true
  }
  const put = (now: When) => { const h = holding.current; if (!h || same(h.now, now)) return; setHeld({ ...h, now }); setSaid(t('calendar.over', { day: sayWhen(now, locale) })) }
  const letGo = () => { const h = holding.current; if (h) setSaid(t('calendar.left', { title: titleOf(entity, h.row), day: sayWhen(h.was, locale) })); setHeld(null) }
  const drop = () => {
    const h = holding.current
    if (!h) return
    if (same(h.was, h.now)) { letGo(); return }
    setHeld(null)
    setTimeout(look, 160)
    void write(h.row, changesOf(h.row, h.was, h.now, times), t('calendar.moved', { title: titleOf(entity, h.row), day: sayWhen(h.now, locale) }), sayWhen(h.was, locale)).then(() => h.keys && focusBar(h.row.id))
    if (h.keys) focusBar(h.row.id)
  }
  const area = useRef<HTMLDivElement>(null)
  const dayUnder = (p: { x: number }) => { const r = area.current!.getBoundingClientRect(); return Math.floor((rtl() > 0 ? p.x - r.left : r.right - p.x) / px) }
  const grab = (e: React.PointerEvent<HTMLElement>, row: Row, mode: Held['mode']) => {
    e.stopPropagation()
    let from = 0
    gesture(e, {
      take: (p) => { from = dayUnder(p); return take(row, mode, false) },
      move: (p) => { const h = holding.current; if (!h) return; const n = dayUnder(p) - from; put(mode === 'move' ? byDays(h.was, n, zone) : edgeToDay(h.was, mode, addDays(mode === 'start' ? h.was.from : h.was.to, n), zone)) },
      drop, cancel: letGo, atOnce: mode !== 'move', along: 'x',
    })
  }

  // ---- what waits for what -------------------------------------------------------------------------------------------
  const [linking, setLinking] = useState<{ row: Row; from: number; to: { x: number; y: number }; over: string | null } | null>(null)
  const [asking, setAsking] = useState<Row | null>(null)
  const link = (row: Row, before: Row | null): void => {
    if (!pred) return
    if (before && circle([...known.current.values()].map((r) => ({ id: r.row.id, after: afterOf(r.row) })), row.id, before.id)) { toast.error(t('timeline.circle')); setSaid(t('timeline.circle')); return }
    const title = titleOf(entity, row)
    void write(row, { [pred.name]: before?.id ?? null }, before ? t('timeline.linked', { title, other: titleOf(entity, before) }) : t('timeline.unlinked', { title }), '').then(() => focusBar(row.id))
  }
  const draw = (e: React.PointerEvent<HTMLElement>, row: Row, index: number) => {
    e.stopPropagation()
    let over: string | null = null
    gesture(e, {
      take: () => { setTip(null); setLinking({ row, from: index, to: { x: 0, y: 0 }, over: null }); return true },
      move: (p) => {
        const r = area.current!.getBoundingClientRect()
        const id = placeAt(p, '[data-bar]')?.dataset.bar ?? null
        over = id === row.id ? null : id
        setLinking({ row, from: index, to: { x: rtl() > 0 ? p.x - r.left : r.right - p.x, y: p.y - r.top }, over })
      },
      drop: () => { setLinking(null); const target = over && known.current.get(over)?.row; if (target) link(target, row) },
      cancel: () => setLinking(null), atOnce: true, along: 'x',
    })
  }

  // ---- keys ----------------------------------------------------------------------------------------------------------
  const keys = (e: React.KeyboardEvent, index: number, row: Row | undefined) => {
    if (e.metaKey || e.ctrlKey || e.altKey) return
    const handled = (f: () => void) => { e.preventDefault(); e.stopPropagation(); f() }
    const way = e.key === 'ArrowRight' ? rtl() : e.key === 'ArrowLeft' ? -rtl() : 0
    const down = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0
    if (held?.keys && row && held.row.id === row.id) {
      const n = way * (px < 5 ? 7 : 1) || down * 7
      if (n) handled(() => put(e.shiftKey ? (maySize ? edgeToDay(held.now, 'end', addDays(held.now.to, n), zone) : held.now) : byDays(held.now, n, zone)))
      else if (e.key === 'Enter' || e.key === ' ') handled(drop)
      else if (e.key === 'Escape') handled(letGo)
      else if (e.key === 'Tab') letGo()
      return
    }
    const { group: g, i } = lines.line(index)
    if (down) handled(() => focusLine(index + down))
    else if (e.key === 'Home') handled(() => focusLine(0))
    else if (e.key === 'End') handled(() => focusLine(lines.total - 1))
    else if (e.key === 'PageDown' || e.key === 'PageUp') handled(() => focusLine(index + (e.key === 'PageDown' ? 1 : -1) * Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / ROW) - 3)))
    else if (i < 0 && (e.key === 'Enter' || e.key === ' ')) handled(() => fold(g))
    else if (i < 0 && way) handled(() => { if (shut.has(groups![g]!.key) === way > 0) fold(g) })
    else if (way) handled(() => { const el = scroller.current; if (el) el.scrollLeft += rtl() * way * (el.clientWidth - side) / 3 })
    else if (e.key === '+' || e.key === '=') handled(() => nearer(1))
    else if (e.key === '-') handled(() => nearer(-1))
    else if (e.key.toLowerCase() === 't') handled(goToday)
    else if (row && (e.key === 'Enter' || e.key.toLowerCase() === 'o')) handled(() => onOpen(row))
    else if (row && e.key === ' ') handled(() => void take(row, 'move', true))
    else if (row && e.key.toLowerCase() === 'l' && mayLink) handled(() => setAsking(row))
    else if (e.key === 'Escape') handled(() => { setTip(null); onEscape() })
  }
  const fold = (g: number) => { const { key } = groups![g]!; setShut((old) => { const next = new Set(old); if (!next.delete(key)) next.add(key); return next }) }

  // ---- drawing -------------------------------------------------------------------------------------------------------
  const shownWhen = (row: Row): When | null => (held?.row.id === row.id ? held.now : whenOf(row, times))
  const single = (w: When) => w.open || (w.from === w.to && !!end && (w.at === undefined || w.at === w.till))
  const barFrom = (w: When) => x(w.from)
  const barTo = (w: When) => x(addDays(w.to, 1))
  const before = (row: Row): string | null => {
    if (!pred || isEmpty(row[pred.name])) return null
    const known = at.get(String(row[pred.name]))?.row
    const named = row[expandKey(pred)] as Record<string, unknown> | null | undefined
    return known ? titleOf(entity, known) : titlePath(pred) && named ? String(named[pred.ref!.title_field!] ?? '…') : '…'
  }
  const done = (row: Row): number | null => (progress && !isEmpty(row[progress.name]) ? Math.max(0, Math.min(100, Number(row[progress.name]))) : null)
  const telling = (row: Row, w: When): string[] => {
    const p = plan && whenOf(row, plan)
    return [single(w) ? `${t('timeline.milestone')}, ${sayWhen(w, locale)}` : sayWhen(w, locale), optionOf(entity, colour, row)?.label, done(row) === null ? undefined : t('timeline.done', { n: formatPercent(done(row), locale) }),
      before(row) ? t('timeline.waits', { title: before(row) }) : undefined, p ? t('timeline.planned', { when: sayWhen(p, locale) }) : undefined, path.has(row.id) ? t('timeline.onPath') : undefined].filter((s) => s !== undefined)
  }
  const bar = (row: Row, index: number) => {
    const w = shownWhen(row)
    if (!w) return null
    const left = barFrom(w)
    const right = barTo(w)
    const dot = single(w)
    const wide = Math.max(dot ? 0 : 6, right - left)
    const label = titleOf(entity, row)
    const inside = !dot && wide > 48 + label.length * 4
    const p = plan && whenOf(row, plan)
    const share = done(row)
    const busy = held?.row.id === row.id
    return (
      <>
        {p && <span className="tl-base" aria-hidden="true" style={{ insetInlineStart: x(p.from), inlineSize: Math.max(4, x(addDays(p.to, 1)) - x(p.from)) }} />}
        <div role="button" data-focus="" data-bar={row.id} data-x={left} data-from={w.from} data-to={w.to} tabIndex={index === active ? 0 : -1} aria-describedby={hint}
          className={clsx('chip tl-bar', hueName(optionOf(entity, colour, row)), dot && 'dot', p && 'planned', busy && 'held', row.id === openId && 'open', path.has(row.id) && 'crit', linking?.over === row.id && 'over')}
          style={{ insetInlineStart: dot ? left + px / 2 : left, inlineSize: dot ? undefined : wide }}
          onPointerDown={(e) => grab(e, row, 'move')} onClick={() => onOpen(row)} onKeyDown={(e) => keys(e, index, row)}
          onFocus={(e) => { setActive(index); if (e.currentTarget.matches(':focus-visible')) show(e.currentTarget, row) }} onBlur={() => setTip(null)}
          onPointerEnter={(e) => { if (e.pointerType === 'mouse' && !holding.current) { const el = e.currentTarget; clearTimeout(hover.current); hover.current = setTimeout(() => show(el, row), 350) } }} onPointerLeave={() => { clearTimeout(hover.current); setTip(null) }}>
          {share !== null && !dot && <span className="tl-done" style={{ inlineSize: `${share}%` }} />}
          {!dot && mayMove && <span className="tl-grip start" onPointerDown={(e) => grab(e, row, 'start')} onClick={(e) => e.stopPropagation()} />}
          <span className={clsx('tl-label', !inside && 'aside')}>{busy && !held.keys ? sayWhen(w, locale) : label}<span className="visually-hidden">, {telling(row, w).join(', ')}</span></span>
          {maySize && <span className="tl-grip end" onPointerDown={(e) => grab(e, row, 'end')} onClick={(e) => e.stopPropagation()} />}
          {mayLink && <span className="tl-link" onPointerDown={(e) => draw(e, row, index)} onClick={(e) => e.stopPropagation()} />}
        </div>
      </>
    )
  }
  const show = (el: HTMLElement, row: Row) => { const r = el.getBoundingClientRect(); const box = scroller.current!.getBoundingClientRect(); setTip({ row, x: Math.max(box.left + side + 8, Math.min(r.left, box.right - 290)), y: r.bottom + 6 }) }

  const mid = (index: number) => index * ROW + ROW / 2
  const first = seen[0]?.index ?? 0
  const last = seen.at(-1)?.index ?? 0
  const arrows = pred ? loaded.flatMap(({ row, index }) => {
    const other = at.get(afterOf(row)[0] ?? '')
    if (!other || Math.max(index, other.index) < first || Math.min(index, other.index) > last) return []
    const w = shownWhen(row)
    const v = shownWhen(other.row)
    if (!w || !v) return []
    const a = single(v) ? x(v.from) + px / 2 + 8 : barTo(v)
    const b = single(w) ? x(w.from) + px / 2 - 8 : barFrom(w)
    const [y, z] = [mid(other.index), mid(index)]
    const half = y + (z > y ? ROW / 2 : -ROW / 2)
    const d = b > a + 16 ? `M${a} ${y}H${a + 8}V${z}H${b - 1}` : `M${a} ${y}h8V${half}H${b - 10}V${z}H${b - 1}`
    return [{ id: row.id, d, b, z, crit: path.has(row.id) && path.has(other.row.id) }]
  }).slice(0, 300) : []

  const drawLine = (index: number, top: number, at: number, i: number, row: Row | undefined): ReactNode => {
    const g = groups![at]!
    if (i < 0) {
      const open = !shut.has(g.key)
      const [a, b] = [g.from, g.to].map((d) => d && (d.length > 10 ? instantToLocal(d, zone).slice(0, 10) : d))
      return (
        <div role="row" aria-rowindex={index + 2} data-line={index} className="tl-row group" style={{ top, width: side + width }}>
          <div role="rowheader" className="tl-name"><button type="button" data-focus="" tabIndex={index === active ? 0 : -1} className="tl-fold" aria-expanded={open} onClick={() => fold(at)} onFocus={() => setActive(index)} onKeyDown={(e) => keys(e, index, undefined)}>
            {open ? <ChevronDown size={14} /> : <ChevronRight size={14} className="rtl:scale-x-[-1]" />}<span className="truncate">{g.label}</span><span className="num text-muted font-normal">{formatNumber(g.n, locale)}</span></button></div>
          <div role="gridcell" className="tl-line">{a && b && <span className="tl-sum" aria-hidden="true" style={{ insetInlineStart: Math.max(0, x(a)), inlineSize: Math.max(4, Math.min(width, x(addDays(b, 1))) - Math.max(0, x(a))) }} />}<span className="visually-hidden">{a && b ? sayDays(a, b, locale) : ''}</span></div>
        </div>
      )
    }
    return (
      <div role="row" aria-rowindex={index + 2} data-line={index} className={clsx('tl-row', row && row.id === openId && 'open')} style={{ top, width: side + width }}>
        <div role="rowheader" className={clsx('tl-name', group && 'in')} onClick={() => row && onOpen(row)}>{row ? <><span className="font-medium truncate flex-none max-w-full">{titleOf(entity, row)}</span>{!narrow && second && !isEmpty(row[second.name]) && <span className="text-muted truncate flex-1 min-w-0">{createElement(typeOf(second).Cell, { field: second, value: row[second.name], record: row, locale, plain: true })}</span>}</> : <><span className="skel" style={{ width: '60%' }} /><span className="visually-hidden">{t('loading')}</span></>}</div>
        <div role="gridcell" className="tl-line">{row && bar(row, index)}</div>
      </div>
    )
  }
  // A line is drawn anew when something about it changed, not because others came into sight.
  const stamp = useMemo(() => ({}), [lines, groups, scale, held, linking?.over, path, active, openId, entity, columns, times, plan, colour, progress, locale, narrow, day, pred ? loaded.length : 0])
  const drawing = useRef(drawLine)
  drawing.current = drawLine
  const aboveName = (d: string) => (zoom === 'day' || zoom === 'week' ? sayDay(d, locale, { month: 'long', year: 'numeric' }) : zoom === 'year' ? `${d.slice(0, 3)}0 – ${d.slice(0, 3)}9` : d.slice(0, 4))
  const belowName = (d: string) => (zoom === 'day' || zoom === 'week' ? String(Number(d.slice(8))) : zoom === 'year' ? d.slice(0, 4) : sayDay(d, locale, { month: 'short' }))
  const error = countError ?? pages.error
  const title = fieldOf(entity, entity.title_field ?? '')?.label ?? entity.label
  const lineOf = (d: string): number | null => (d >= scale.from && d <= scale.to ? x(d) + px / 2 : null)
  const now = lineOf(today)
  // Paper takes the lines that are there, from the first of them on.
  const lacks = printing ? seen.findIndex((v) => { const l = lines.line(v.index); return l.i >= 0 && !pages.row(l) }) : -1
  const drawn = lacks < 0 ? seen : seen.slice(0, lacks)
  const above = printing ? drawn[0]?.start ?? 0 : 0
  const tall = Math.max(1, printing ? (drawn.at(-1)?.end ?? 0) - above : virtual.getTotalSize())
  const head = useMemo(() => (
      <div role="row" aria-rowindex={1} className="tl-head" style={{ width: side + width }}>
        <div role="columnheader" className="tl-name">{title}</div>
        <div role="columnheader" className="tl-ticks" style={{ width }}>
          <span className="visually-hidden">{sayDays(scale.from, scale.to, locale)}</span>
          <div aria-hidden="true" className="tl-above">{scale.above.map((k) => <span key={k.at} style={{ insetInlineStart: k.at * px, inlineSize: k.n * px }}>{k.n * px > 40 && <b>{aboveName(k.day)}</b>}</span>)}</div>
          <div aria-hidden="true" className={clsx('tl-below', zoom === 'day' && 'days')}>{scale.below.map((k) => <span key={k.at} className={clsx(today >= k.day && daysFrom(k.day, today) < k.n && 'now')} style={{ insetInlineStart: k.at * px, inlineSize: k.n * px }}>{k.n * px > 17 && belowName(k.day)}</span>)}</div>
        </div>
      </div>
  ), [scale, today, locale, side, title])
  const back = useMemo(() => (
      <div ref={area} className="tl-back" aria-hidden="true" style={{ width }}>
        {rest.map((k) => <i key={k.at} className="tl-rest" style={{ insetInlineStart: k.at * px, inlineSize: k.n * px }} />)}
        {scale.above.map((k) => <i key={k.at} className="tl-edge" style={{ insetInlineStart: k.at * px }} />)}
      </div>
  ), [scale, rest])
  return (
    <>
      <div className="flex items-center gap-1.5 px-3 h-11 flex-none border-b border-line max-md:h-13 no-print">
        <h2 className="m-0 text-base font-semibold flex-1 truncate" aria-live="polite">{sight && sayDays(sight.from, sight.to, locale)}</h2>
        {pred && !narrow && <button type="button" className={clsx('btn ghost sm', critical ? 'on' : 'text-muted')} aria-pressed={critical} onClick={() => setCritical(!critical)}><Route size={14} />{t('timeline.critical')}</button>}
        <button type="button" className="btn ghost icon sm max-md:hidden" aria-label={t('timeline.zoom') + ' −'} disabled={zoom === 'year'} onClick={() => nearer(-1)}><Minus size={14} /></button>
        {narrow ? <select className="input flex-none" style={{ width: 'auto' }} aria-label={t('timeline.zoom')} value={zoom} onChange={(e) => zoomTo(e.target.value as Zoom)}>{ZOOMS.map((z) => <option key={z} value={z}>{t(`timeline.zoom_${z}`)}</option>)}</select>
          : <div role="group" aria-label={t('timeline.zoom')} className="flex rounded-md border border-line">{ZOOMS.map((z) => <button key={z} type="button" className={clsx('btn ghost sm', z === zoom ? 'on' : 'text-muted')} aria-pressed={z === zoom} onClick={() => zoomTo(z)}>{t(`timeline.zoom_${z}`)}</button>)}</div>}
        <button type="button" className="btn ghost icon sm max-md:hidden" aria-label={t('timeline.zoom') + ' +'} disabled={zoom === 'day'} onClick={() => nearer(1)}><Plus size={14} /></button>
        <button type="button" className="btn sm max-md:hidden" onClick={goToday}>{t('calendar.today')}</button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.before')} onClick={() => page(-1)}><ChevronLeft size={15} className="rtl:scale-x-[-1]" /></button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.after')} onClick={() => page(1)}><ChevronRight size={15} className="rtl:scale-x-[-1]" /></button>
      </div>
      {critical && pred && <p className={clsx('m-0 px-3 py-1.5 border-b border-line', chain.data?.days || chain.error ? 'text-bad' : 'text-muted')} role="status">{chain.error ? messageOf(chain.error) : !chain.data ? t('loading') : chain.data.days === null ? t('timeline.criticalOpen') : t('timeline.criticalIs', { count: chain.data.days })}</p>}
      {nothing && (
        <p className="m-0 px-3 py-1.5 flex items-center gap-2 flex-wrap border-b border-line text-muted" role="status">{t('calendar.none')}
          {[near?.before, near?.after].map((d) => d && <button key={d} type="button" className="btn sm" onClick={() => onGo(d)}>{t('calendar.show', { day: formatDate(d, locale) })}</button>)}
        </p>
      )}
      {error ? <div className="flex-1"><Failure error={error} retry={() => { recount(); pages.retry() }} /></div> : (
        <div ref={scroller} className={clsx('tl', ((held && !held.keys) || linking) && 'busy', px < 5 && 'far')} role="grid" aria-label={t('timeline.label', { name: entity.plural })} aria-rowcount={lines.total + 1} aria-busy={groups === null} tabIndex={loaded.length ? -1 : 0} style={{ '--side': `${side}px`, '--row': `${ROW}px` } as React.CSSProperties} onScroll={scrolled}>
          {head}
          <div role="rowgroup" className="tl-body" style={{ width: side + width, height: tall }}>
            {back}
            <div className="tl-side" aria-hidden="true" />
            {drawn.map((v) => {
              const line = lines.line(v.index)
              const row = line.i < 0 ? undefined : pages.row(line)
              return groups?.[line.group] && <LineOf key={line.i < 0 ? `g${groups[line.group]!.key}` : row?.id ?? v.index} index={v.index} top={v.start - above} group={line.group} i={line.i} row={row} stamp={stamp} draw={drawing} />
            })}
            <svg className="tl-arrows" aria-hidden="true" width={width} height={tall} viewBox={`0 ${above} ${width} ${tall}`}>
              {arrows.map((a) => <g key={a.id} className={clsx(a.crit && 'crit')}><path d={a.d} /><path className="tip" d={`M${a.b} ${a.z}l-6 -3.5v7z`} /></g>)}
              {linking && linking.to.y > 0 && (() => { const w = whenOf(linking.row, times); return w && <path className="new" d={`M${single(w) ? x(w.from) + px / 2 : barTo(w)} ${mid(linking.from)}L${linking.to.x} ${linking.to.y}`} /> })()}
            </svg>
            {now !== null && <i className="tl-now" aria-hidden="true" style={{ insetInlineStart: side + now }} />}
          </div>
        </div>
      )}
      <p id={hint} className="visually-hidden">{t('timeline.hint')}{mayLink ? ' ' + t('timeline.linkHint') : ''}</p>
      <div role="status" aria-live="assertive" className="visually-hidden">{said}</div>
      {tip && createPortal(<div className="pop tl-tip" aria-hidden="true" style={{ left: tip.x, top: Math.min(tip.y, innerHeight - 130) }}><b>{titleOf(entity, tip.row)}</b>{(() => { const w = whenOf(tip.row, times); return w ? telling(tip.row, w).map((s) => <span key={s}>{s}</span>) : null })()}</div>, document.querySelector('main') ?? document.body)}
      {asking && pred && <Ask key={asking.id} title={t('timeline.link', { title: titleOf(entity, asking) })} label={t('views.by_predecessor')} row={asking} field={pred} onClose={() => { const { id } = asking; setAsking(null); focusBar(id) }} onPick={(id) => {
        const row = asking
        setAsking(null)
        if (id === null) { link(row, null); return }
        void (at.get(id) ? Promise.resolve(at.get(id)!.row) : records.read(entity.name, id)).then((other) => link(row, other), (e) => toast.error(messageOf(e)))
      }} />}
    </>
  )
}

interface LineProps { index: number; top: number; group: number; i: number; row: Row | undefined; stamp: object; draw: RefObject<(index: number, top: number, group: number, i: number, row: Row | undefined) => ReactNode> }
const LineOf = memo(function LineOf({ index, top, group, i, row, draw }: LineProps) { return <>{draw.current(index, top, group, i, row)}</> })

function Ask({ title, label, row, field, onClose, onPick }: { title: string; label: string; row: Row; field: NonNullable<ViewProps['by'][string]>; onClose: () => void; onPick: (id: string | null) => void }) {
  const { t } = useTranslation()
  const [value, setValue] = useState<unknown>(row[field.name] ?? null)
  const save = () => onPick(isEmpty(value) ? null : String(value))
  return (
    <Dialog title={title} width={440} onClose={onClose} onSubmit={save} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary">{t('save')}</button></>}>
      <Labelled label={label}>{(p) => createElement(typeOf(field).Input, { field, value, onChange: setValue, record: row, id: p.id, autoFocus: true, label })}</Labelled>
    </Dialog>
  )
}
