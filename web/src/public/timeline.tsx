import '@/views/timeline/timeline.css'
import { clsx } from 'clsx'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatNumber } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { itemsOf, type Item } from '@/views/calendar/shape'
import { todayIn } from '@/views/calendar/when'
import { sayDay, sayDays, sayWhen } from '@/views/calendar/words'
import { addDays, daysFrom, firstWeekday, weekendOf } from '@/views/days'
import { inSight, restDays, scaleOf } from '@/views/timeline/scale'
import { Near } from './calendar'
import { called, colourOf, hueIn, timesOf, useDays } from './days'
import { Gone, useAgain, useGuestLocale, type BodyProps } from './shared'

const ROW = 34
const MOST = 300
/** Those of which a screen shows no more days than are asked for at once. */
const ZOOMS = ['day', 'week', 'month'] as const
type Zoom = (typeof ZOOMS)[number]

/** A timeline to be looked at: what touches the days in sight, a line for each. */
export default function SharedTimeline(p: BodyProps) {
  const { opened } = p
  const { t } = useTranslation()
  const locale = useGuestLocale(opened)
  const { zone } = locale
  const narrow = useNarrow()
  const side = narrow ? 124 : 260
  const today = todayIn(zone)
  const [day, setDay] = useState(today)
  const [zoom, setZoom] = useState<Zoom>('week')
  const scale = useMemo(() => scaleOf(zoom, day, firstWeekday(locale.locale)), [zoom, day, locale.locale])
  const { px } = scale
  const width = Math.round(scale.days * px)
  const x = (d: string) => daysFrom(scale.from, d) * px
  const scroller = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ from: day, to: addDays(day, 30) })
  const look = () => { const el = scroller.current; if (el) setSight(inSight(scale, Math.abs(el.scrollLeft), el.clientWidth - side)) }
  const soon = useRef<ReturnType<typeof setTimeout>>(undefined)
  const rtl = () => (scroller.current && getComputedStyle(scroller.current).direction === 'rtl' ? -1 : 1)
  const show = (d: string) => { const el = scroller.current; if (el) el.scrollLeft = rtl() * Math.max(0, x(d) - (el.clientWidth - side) / 4) }
  useLayoutEffect(() => { show(day); look() }, [scale, side])
  useEffect(() => () => clearTimeout(soon.current), [])
  const go = (d: string) => { if (d === day) show(d); else setDay(d) }
  const page = (n: number) => go(addDays(sight.from, Math.round(n * daysFrom(sight.from, sight.to) * 0.75)))
  const times = useMemo(() => timesOf(opened, zone), [opened, zone])
  const asked = useDays(p, sight.from, addDays(sight.to, 1), MOST, zone)
  const over = useAgain(asked.error, p.again)
  const items = useMemo(() => (asked.data?.rows ?? []).flatMap((row) => itemsOf(row, times)), [asked.data, times])
  const aboveName = (d: string) => (zoom === 'month' ? d.slice(0, 4) : sayDay(d, locale, { month: 'long', year: 'numeric' }))
  const belowName = (d: string) => (zoom === 'month' ? sayDay(d, locale, { month: 'short' }) : String(Number(d.slice(8))))
  const bar = ({ row, when }: Item, name: string) => {
    const dot = when.open || (when.from === when.to && !!times.end)
    const from = x(when.from)
    const long = Math.max(6, x(addDays(when.to, 1)) - from)
    const said = [sayWhen(when, locale), colourOf(opened, row)?.label].filter(Boolean).join(', ')
    return (
      <div className={clsx('chip tl-bar', hueIn(opened, row), dot && 'dot')} title={`${name} · ${said}`} style={dot ? { insetInlineStart: from + px / 2 } : { insetInlineStart: from, inlineSize: long }}>
        <span className={clsx('tl-label', (dot || long < 48 + name.length * 4) && 'aside')}>{name}<span className="visually-hidden">, {said}</span></span>
      </div>
    )
  }
  const wide = { width: side + width }
  if (asked.error && !over) return <Gone error={asked.error} />
  return (
    <div className="shared-days whole">
      <div className="flex items-center gap-1.5 px-5 py-2 border-b border-line flex-wrap max-md:px-3">
        <h2 className="m-0 text-base font-semibold flex-1 truncate" aria-live="polite">{sayDays(sight.from, sight.to, locale)}</h2>
        <select className="input flex-none no-print" style={{ width: 'auto' }} aria-label={t('timeline.zoom')} value={zoom} onChange={(e) => setZoom(e.target.value as Zoom)}>{ZOOMS.map((z) => <option key={z} value={z}>{t(`timeline.zoom_${z}`)}</option>)}</select>
        <button type="button" className="btn sm no-print" onClick={() => go(today)}>{t('calendar.today')}</button>
        <button type="button" className="btn icon sm no-print" aria-label={t('calendar.before')} onClick={() => page(-1)}><ChevronLeft size={15} className="rtl:scale-x-[-1]" /></button>
        <button type="button" className="btn icon sm no-print" aria-label={t('calendar.after')} onClick={() => page(1)}><ChevronRight size={15} className="rtl:scale-x-[-1]" /></button>
      </div>
      {asked.data?.more && <p className="m-0 px-5 py-1.5 text-warn max-md:px-3" role="status">{t('calendar.cut', { n: formatNumber(MOST, locale) })}</p>}
      {asked.data && !items.length && <Near near={asked.data.near} say={(d) => sayDays(d, d, locale)} go={go} />}
      <div ref={scroller} className="tl" role="grid" aria-label={t('timeline.label', { name: opened.entity.plural })} aria-busy={asked.isPending} tabIndex={0} style={{ '--side': `${side}px`, '--row': `${ROW}px` } as React.CSSProperties} onScroll={() => { clearTimeout(soon.current); soon.current = setTimeout(look, 160) }}>
        <div role="row" className="tl-head" style={wide}>
          <div role="columnheader" className="tl-name">{opened.entity.fields[0]?.label}</div>
          <div role="columnheader" className="tl-ticks" style={{ width }}>
            <span className="visually-hidden">{sayDays(scale.from, scale.to, locale)}</span>
            <div aria-hidden="true" className="tl-above">{scale.above.map((k) => <span key={k.at} style={{ insetInlineStart: k.at * px, inlineSize: k.n * px }}>{k.n * px > 40 && <b>{aboveName(k.day)}</b>}</span>)}</div>
            <div aria-hidden="true" className={clsx('tl-below', zoom === 'day' && 'days')}>{scale.below.map((k) => <span key={k.at} className={clsx(today >= k.day && daysFrom(k.day, today) < k.n && 'now')} style={{ insetInlineStart: k.at * px, inlineSize: k.n * px }}>{k.n * px > 17 && belowName(k.day)}</span>)}</div>
          </div>
        </div>
        <div role="rowgroup" className="tl-body" style={{ ...wide, height: Math.max(1, items.length) * ROW }}>
          <div className="tl-back" aria-hidden="true" style={{ width }}>
            {restDays(scale, weekendOf(locale.locale)).map((k) => <i key={k.at} className="tl-rest" style={{ insetInlineStart: k.at * px, inlineSize: k.n * px }} />)}
            {scale.above.map((k) => <i key={k.at} className="tl-edge" style={{ insetInlineStart: k.at * px }} />)}
          </div>
          <div className="tl-side" aria-hidden="true" />
          {items.map(({ row, when }, i) => {
            const name = called(opened, row, locale)
            return (
              <div key={row.id} role="row" className="tl-row looked" style={{ top: i * ROW, ...wide }}>
                <div role="rowheader" className="tl-name" title={name}><span className="font-medium truncate">{name}</span></div>
                <div role="gridcell" className="tl-line">{bar({ row, when }, name)}</div>
              </div>
            )
          })}
          {today >= scale.from && today <= scale.to && <i className="tl-now" aria-hidden="true" style={{ insetInlineStart: side + x(today) + px / 2 }} />}
        </div>
      </div>
    </div>
  )
}
