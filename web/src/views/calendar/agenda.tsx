import { clsx } from 'clsx'
import { Plus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { formatDate } from '@/lib/format'
import { Empty, Skeleton } from '@/ui/basics'
import type { Calendar, Item } from './shape'
import { sayDay, sayDays, sayTime } from './words'

/** Days one under another: those of a month that have something, or all of a week on a narrow screen. */
export function Agenda({ cal }: { cal: Calendar }) {
  const { t } = useTranslation()
  const { days, locale, today, span, items } = cal
  const every = span !== 'agenda'
  // In a month a long record is told of once, on the first of its days.
  const on = (d: string): Item[] => items.filter((x) => (every ? x.when.from <= d && x.when.to >= d : x.when.from === d || (d === days[0] && x.when.from < d)))
  const shown = days.map((d) => ({ d, here: on(d) })).filter((x) => every || x.here.length)
  const time = ({ when }: Item) => (when.at !== undefined && when.from === when.to ? (when.open ? sayTime(when.at, locale) : `${sayTime(when.at, locale)} – ${sayTime(when.till!, locale)}`) : when.from !== when.to ? sayDays(when.from, when.to, locale) : null)
  return (
    <div ref={cal.scroller} className={clsx('cal cal-agenda px-4 py-2', cal.held && !cal.held.keys && 'busy')} role="group" aria-label={cal.label}>
      {cal.pending ? <Skeleton /> : shown.length === 0 ? <Empty title={t('calendar.none')} /> : shown.map(({ d, here }) => (
        <section key={d} data-day={d} tabIndex={-1} className={clsx('py-1.5 px-2 -mx-2 border-b border-line rounded-sm', cal.over(d) && 'bg-sel')} aria-label={formatDate(d, locale)}>
          <div className="flex items-center min-h-7"><h3 className={clsx('m-0 flex-1 text-xs font-semibold', d === today ? 'text-accent-text' : 'text-muted')}>{sayDay(d, locale, { weekday: 'short' })}, {formatDate(d, locale)}</h3>
            {cal.mayCreate && <button type="button" className="btn ghost icon sm" aria-label={t('calendar.newOn', { name: cal.entity.label, day: formatDate(d, locale) })} onClick={() => cal.create(d, d)}><Plus size={13} /></button>}</div>
          <div className="space-y-1">{here.map((x) => cal.event(x, true, '', undefined, { onPointerDown: (e) => cal.grabDays(e, x, 'move'), children: <>{time(x) && <span className="num cal-time">{time(x)}</span>}{cal.words(x)}</> }))}</div>
        </section>
      ))}
    </div>
  )
}
