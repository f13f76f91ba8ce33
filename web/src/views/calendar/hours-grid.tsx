import { clsx } from 'clsx'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatDate } from '@/lib/format'
import { daysIn } from '../days'
import type { Point } from '../gesture'
import { Hours } from './hours'
import { beside, lanesOf } from './lanes'
import type { Calendar, Held, Item } from './shape'
import { edgeToInstant, midnight, toInstant, type When } from './when'
import { dates, sayDay, sayTime } from './words'

const TALL = 46
const LANE = 24
const QUARTER = 9e5
const LONG = 864e5
/** Nothing is drawn lower than this, or it could not be read. */
const LEAST = 0.44

/** Days side by side, hour by hour; above them what lasts for days. */
export function HoursGrid({ cal }: { cal: Calendar }) {
  const { t } = useTranslation()
  const { days, day, today, locale, scroller, items, held } = cal
  const { zone } = locale
  const hours = useMemo(() => new Hours(days, zone), [days, zone])
  const body = useRef<HTMLDivElement>(null)
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => { const timer = setInterval(() => setNow(Date.now()), 30_000); return () => clearInterval(timer) }, [])
  // The working day is in sight at first.
  useLayoutEffect(() => void scroller.current?.scrollTo(0, 7.5 * TALL), [])
  const long = (w: When) => w.till! - w.at! >= LONG
  const above = lanesOf(items.filter((x) => long(x.when)), days)
  const parts = (w: When): { day: string; from: number; to: number }[] => days.filter((d) => w.from <= d && w.to >= d).map((d) => {
    const from = w.from < d ? 0 : hours.place(d, w.at!)
    const to = w.to > d ? hours.slots.length : hours.place(d, Math.max(w.at!, w.till! - 1)) + 1 / 36e5
    return { day: d, from, to: Math.max(to, from + LEAST) }
  })
  const here = new Map(days.map((d) => [d, [] as { of: Item; from: number; to: number }[]]))
  for (const of of items) if (!long(of.when)) for (const p of parts(of.when)) here.get(p.day)?.push({ of, from: p.from, to: p.to })

  const under = (p: Point): { day: string; ms: number } => {
    const cells = [...body.current!.querySelectorAll<HTMLElement>('[data-day]')]
    const boxes = cells.map((c) => c.getBoundingClientRect())
    const at = boxes.findIndex((b) => p.x >= b.left && p.x < b.right)
    const nearest = at >= 0 ? at : (p.x < Math.min(...boxes.map((b) => b.left))) === (boxes[0]!.left <= boxes.at(-1)!.left) ? 0 : cells.length - 1
    const d = cells[nearest]!.dataset.day!
    return { day: d, ms: hours.instant(d, (p.y - boxes[nearest]!.top) / TALL) }
  }
  const near = (ms: number) => Math.round(ms / QUARTER) * QUARTER
  const grab = (e: React.PointerEvent<HTMLElement>, item: Item, mode: Held['mode']) => {
    e.stopPropagation()
    let off = 0
    cal.gesture(e, {
      take: (p) => { off = under(p).ms - item.when.at!; return cal.take(item, mode, false) },
      move: (p) => { const { ms } = under(p); cal.put(mode === 'move' ? toInstant(item.when, near(ms - off), zone) : edgeToInstant(item.when, mode, near(ms), zone)) },
      drop: cal.drop, cancel: cal.letGo, atOnce: mode !== 'move', along: 'y',
    })
  }
  const [drawn, setDrawn] = useState<{ at: number; till: number } | null>(null)
  const draw = (e: React.PointerEvent<HTMLElement>, d: string) => {
    if (!cal.mayCreate || (e.target as HTMLElement).closest('[data-event]')) return
    let from = 0
    let to = 0
    const range = () => ({ at: Math.min(from, to), till: Math.max(to, from, Math.min(from, to) + QUARTER) })
    cal.gesture(e, {
      take: (p) => { from = to = near(under(p).ms); setDrawn(range()); return true },
      // A record is made within one day.
      move: (p) => { const u = under(p); to = Math.min(Math.max(near(u.day === d ? u.ms : hours.instant(d, (p.y - body.current!.getBoundingClientRect().top) / TALL)), midnight(d, zone)), hours.instant(d, hours.slots.length)); setDrawn(range()) },
      drop: () => { setDrawn(null); const r = range(); cal.create(d, d, r.at, r.till) },
      cancel: () => setDrawn(null), along: 'y',
    })
  }
  const block = (key: string, w: When, d: string, label: string) => parts(w).filter((p) => p.day === d).map((p) => (
    <div key={key} className="cal-drawn" aria-hidden="true" style={{ insetBlockStart: p.from * TALL, blockSize: Math.max(20, (p.to - p.from) * TALL) }}>{label}</div>
  ))
  const hourName = (h: { hour: number; twice: boolean }) => dates(locale, 'UTC', { hour: 'numeric' }).format(new Date(Date.UTC(2026, 0, 1, h.hour)))
  const columns = { gridTemplateColumns: `56px repeat(${days.length},minmax(0,1fr))` }
  const preview = held && !long(held.now) && held.now.from <= days.at(-1)! && held.now.to >= days[0]! && (held.was.at !== held.now.at || held.was.till !== held.now.till) ? held.now : null
  return (
    <div ref={scroller} className={clsx('cal cal-hours', (held && !held.keys) || drawn ? 'busy' : undefined)} role="grid" aria-label={cal.label} aria-busy={cal.pending}>
      <div className="cal-above" role="rowgroup">
        <div role="row" className="cal-cols" style={columns}>
          <div role="columnheader"><span className="visually-hidden">{t('calendar.span')}</span></div>
          {days.map((d) => <div key={d} role="columnheader" className={clsx('cal-dayname', d === today && 'now')} aria-current={d === today ? 'date' : undefined}><span className="visually-hidden">{formatDate(d, locale)}</span><span aria-hidden="true">{sayDay(d, locale, { weekday: 'short' })} <b className={clsx('cal-num', d === today && 'now')}>{Number(d.slice(8))}</b></span></div>)}
        </div>
        <div role="row" className="cal-cols cal-allday" style={{ ...columns, minHeight: 26 + Math.max(0, above.lanes - 1) * LANE }}>
          <div role="rowheader" className="cal-gutter">{t('calendar.allDay')}</div>
          {days.map((d, c) => (
            <div key={d} role="gridcell" className={clsx('cal-day', held && long(held.now) && cal.over(d) && 'over')} data-day={d} tabIndex={-1} onKeyDown={(e) => cal.dayKeys(e, d)}>
              {above.segments.filter((s) => s.at === c).map((s) => cal.event(s.of, d === day, clsx('bar', s.before && 'cut-start', s.after && 'cut-end'), { insetBlockStart: 2 + s.lane * LANE, inlineSize: `calc(${s.n * 100}% + ${s.n - 1 - (s.before ? 3 : 6) + (s.after ? 3 : 0)}px)`, ...(s.before ? { insetInlineStart: 0 } : {}) },
                { onPointerDown: (e) => cal.grabDays(e, s.of, 'move'), children: <>{!s.before && cal.grip('start', (e) => cal.grabDays(e, s.of, 'start'))}{cal.words(s.of)}{!s.after && cal.grip('end', (e) => cal.grabDays(e, s.of, 'end'))}</> }))}
            </div>
          ))}
        </div>
      </div>
      <div ref={body} role="row" className="cal-cols cal-body" style={{ ...columns, height: hours.slots.length * TALL }}>
        <div role="rowheader" className="cal-gutter">{hours.slots.map((h, i) => <span key={i} style={{ insetBlockStart: i * TALL }}>{i > 0 && hourName(h)}</span>)}</div>
        {days.map((d) => {
          const tab = d === day
          return (
            <div key={d} role="gridcell" data-day={d} data-hours="" tabIndex={tab ? 0 : -1} className={clsx('cal-col', d === today && 'today')} onKeyDown={(e) => cal.dayKeys(e, d)} onPointerDown={(e) => draw(e, d)}
              onDoubleClick={(e) => { if (cal.mayCreate) { const at = Math.floor(under({ x: e.clientX, y: e.clientY }).ms / 18e5) * 18e5; cal.create(d, d, at, at + 36e5) } }}>
              <span className="visually-hidden">{formatDate(d, locale)}</span>
              {hours.slots.map((h, i) => !hours.has(d, h) && <span key={i} className="cal-gap" title={t('calendar.noHour')} style={{ insetBlockStart: i * TALL, blockSize: TALL }} />)}
              {beside(here.get(d) ?? []).map((x) => {
                const tall = Math.max(20, (x.to - x.from) * TALL - 2)
                return cal.event(x.of, tab, clsx('timed', tall < 36 && 'low'), { insetBlockStart: x.from * TALL + 1, blockSize: tall, insetInlineStart: `calc(${(x.column / x.columns) * 100}% + 2px)`, inlineSize: `calc(${100 / x.columns}% - 4px)` },
                  { onPointerDown: (e) => grab(e, x.of, 'move'), children: <>{x.of.when.from === d && cal.grip('start', (e) => grab(e, x.of, 'start'))}{cal.words(x.of, true)}{x.of.when.to === d && cal.grip('end', (e) => grab(e, x.of, 'end'))}</> })
              })}
              {preview && block('held', preview, d, preview.open ? sayTime(preview.at!, locale) : `${sayTime(preview.at!, locale)} – ${sayTime(preview.till!, locale)}`)}
              {drawn && daysIn(d, d).map((x) => midnight(x, zone) <= drawn.at && hours.instant(x, hours.slots.length) > drawn.at && block('drawn', { from: x, to: x, ...drawn, open: false }, x, `${sayTime(drawn.at, locale)} – ${sayTime(drawn.till, locale)}`))}
              {d === today && <span className="cal-now" aria-hidden="true" style={{ insetBlockStart: hours.place(d, now) * TALL }} />}
            </div>
          )
        })}
      </div>
    </div>
  )
}
