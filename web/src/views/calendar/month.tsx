import { clsx } from 'clsx'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatDate, formatNumber } from '@/lib/format'
import { useBox } from '../box'
import { fitting, lanesOf } from './lanes'
import type { Calendar } from './shape'
import { sayDay } from './words'

const TOP = 30
const LANE = 24
const LEAST = 112

/** Weeks of days, records as bars over them. */
export function MonthGrid({ cal }: { cal: Calendar }) {
  const { t } = useTranslation()
  const { days, day, today, locale, span, narrow, scroller, held } = cal
  const weeks = Array.from({ length: days.length / 7 }, (_, i) => days.slice(i * 7, i * 7 + 7))
  const tall = useBox(scroller).h
  const room = span === 'week' ? Infinity : narrow ? 0 : Math.max(3, Math.floor((Math.max(LEAST, (tall - 32) / weeks.length) - TOP - 4) / LANE))
  // Days drawn over with the pointer, to make a record there.
  const [drawn, setDrawn] = useState<[string, string] | null>(null)
  const draw = (e: React.PointerEvent<HTMLElement>, d: string) => {
    if (!cal.mayCreate || (e.target as HTMLElement).closest('button,[data-event]')) return
    let over = d
    const range = (): [string, string] => (over < d ? [over, d] : [d, over])
    cal.gesture(e, {
      take: () => { setDrawn([d, d]); return true },
      move: (p) => { over = document.elementsFromPoint(p.x, p.y).map((x) => (x as HTMLElement).dataset.day).find((x) => !!x) ?? over; setDrawn(range()) },
      drop: () => { setDrawn(null); cal.create(...range()) },
      cancel: () => setDrawn(null), along: 'y',
    })
  }
  const row = (w: string[]) => {
    const { segments } = lanesOf(cal.items, w)
    const { shown, more } = fitting(segments, 7, room)
    const lanes = shown.reduce((n, s) => Math.max(n, s.lane + 1), 0)
    return (
      <div key={w[0]} role="row" className="cal-week" style={{ minHeight: narrow && span === 'month' ? 84 : Math.max(LEAST, TOP + lanes * LANE + 8) }}>
        {w.map((d, c) => {
          const tab = d === day
          return (
            <div key={d} role="gridcell" data-day={d} tabIndex={tab ? 0 : -1} aria-current={d === today ? 'date' : undefined} className={clsx('cal-day', span === 'month' && d.slice(0, 7) !== day.slice(0, 7) && 'out', cal.over(d) && 'over', drawn && drawn[0] <= d && drawn[1] >= d && 'over')}
              onKeyDown={(e) => cal.dayKeys(e, d)} onPointerDown={(e) => draw(e, d)} onDoubleClick={() => cal.mayCreate && cal.create(d, d)}>
              <div className="cal-top">
                {cal.mayCreate && <button type="button" tabIndex={tab ? 0 : -1} className="btn ghost icon sm cal-add max-md:hidden" style={{ height: 22, minHeight: 22 }} aria-label={t('calendar.newOn', { name: cal.entity.label, day: formatDate(d, locale) })} onClick={() => cal.create(d, d)}><Plus size={13} /></button>}
                <span className="visually-hidden">{formatDate(d, locale)}</span><span className={clsx('cal-num', d === today && 'now')} aria-hidden="true">{d.endsWith('-01') && span === 'month' && !narrow ? sayDay(d, locale, { day: 'numeric', month: 'short' }) : Number(d.slice(8))}</span>
              </div>
              {shown.filter((s) => s.at === c).map((s) => cal.event(s.of, tab, clsx('bar', s.before && 'cut-start', s.after && 'cut-end'),
                { insetBlockStart: TOP + s.lane * LANE, inlineSize: `calc(${s.n * 100}% + ${s.n - 1 - (s.before ? 3 : 6) + (s.after ? 3 : 0)}px)`, ...(s.before ? { insetInlineStart: 0 } : {}) },
                { onPointerDown: (e) => cal.grabDays(e, s.of, 'move'), children: <>{!s.before && cal.grip('start', (e) => cal.grabDays(e, s.of, 'start'))}{cal.words(s.of, s.of.when.from === s.of.when.to && !narrow)}{!s.after && cal.grip('end', (e) => cal.grabDays(e, s.of, 'end'))}</> }))}
              {narrow && span === 'month' && more[c]! > 0 && <span className="cal-dots" aria-hidden="true">{segments.filter((s) => s.at <= c && s.at + s.n > c).slice(0, 4).map((s) => <i key={s.of.row.id} className={clsx('chip', cal.hue(s.of.row))} />)}</span>}
              {more[c]! > 0 && <button type="button" tabIndex={tab || narrow ? 0 : -1} className="btn ghost sm cal-more" style={{ insetBlockStart: narrow ? TOP + 14 : TOP + (room - 1) * LANE, justifyContent: narrow ? 'center' : 'flex-start' }}
                aria-label={t('calendar.rest', { n: more[c], day: formatDate(d, locale) })} onClick={() => cal.go(d, narrow ? 'agenda' : 'day')}>{!narrow && '+'}{formatNumber(more[c], locale)}</button>}
            </div>
          )
        })}
      </div>
    )
  }
  return (
    <div ref={scroller} className={clsx('cal', (held && !held.keys) || drawn ? 'busy' : undefined)} role="grid" aria-label={cal.label} aria-busy={cal.pending}>
      <div role="row" className="cal-week head">{days.slice(0, 7).map((d) => <div key={d} role="columnheader">{sayDay(d, locale, { weekday: 'short' })}</div>)}</div>
      {weeks.map(row)}
    </div>
  )
}
