import './portfolio.css'
import '../gallery/gallery.css'
import { useQueries, useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { CircleAlert, CircleCheck, CircleDashed, CircleDot, Clock, type LucideIcon } from 'lucide-react'
import { createElement, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { formatDate, formatNumber, instantToLocal, useLocale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { entityQuery, fieldOf, listFields, titleOf } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { Chip, Failure } from '@/ui/basics'
import { useBox } from '../box'
import type { ViewProps } from '../kind'
import { both, readMeasure, sumText } from '../pivot/cube'
import { useRows } from '../rows'
import { finals, HEALTH, healthOf, healthRule, shareOf, type Health } from './health'

const GAP = 12
const HIGH = 178
const SIGNS: Record<Health, LucideIcon> = { late: CircleAlert, soon: Clock, well: CircleDot, over: CircleCheck, open: CircleDashed }
function Sign({ h }: { h: Health }) { const { t } = useTranslation(); return <span className={clsx('f-health', `f-${h}`)}>{createElement(SIGNS[h], { size: 14, 'aria-hidden': true })}{t(`portfolio.${h}`)}</span> }

export default function Portfolio({ entity, by, columns, params: asked, openId, handle, onOpen, onEscape, onFilter }: ViewProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const narrow = useNarrow()
  const hint = useId()
  const due = by.due!
  const { done, of } = by
  const today = instantToLocal(new Date().toISOString(), locale.zone).slice(0, 10)
  const over = useMemo(() => finals(entity), [entity])
  const state = entity.states ? fieldOf(entity, entity.states.field) : undefined
  const who = columns.find((f) => f.type === 'relation') ?? columns.find((f) => f.type === 'user')
  const money = columns.find((f) => f.type === 'money')
  const wanted = useMemo(() => [due, ...(done ? [done] : []), ...(of ? [of] : []), ...(state ? [state] : []), ...(who ? [who] : []), ...(money ? [money] : [])], [due, done, of, state, who, money])
  const params = useMemo(() => ({ ...asked, sort: asked.sort ?? `${due.name},id`, fields: listFields(entity, wanted) }), [asked, entity, due, wanted])

  // How many are well and how many are not: asked of the server, for all and not for those in sight.
  const kinds = HEALTH.filter((h) => h !== 'over' || over.length > 0)
  const counts = useQueries({ queries: kinds.map((h) => ({ queryKey: ['sums', entity.name, { health: h, due: due.name, today, filter: asked.filter, q: asked.q }], staleTime: 20_000, queryFn: () => records.aggregate(entity.name, { metrics: [{ function: 'count', as: 'n' }], filter: both(asked.filter, [healthRule(entity, due, h, today, over)]), ...(asked.q ? { q: asked.q } : {}) }).then((r) => Number(r.data[0]?.n ?? 0)) })) })

  const scroller = useRef<HTMLDivElement>(null)
  const width = useBox(scroller).w - 24
  const across = Math.max(1, Math.floor((width + GAP) / ((narrow ? 260 : 270) + GAP)))
  const wide = (width - GAP * (across - 1)) / across
  const [[first, last], setRange] = useState<[number, number]>([0, 30])
  const rows = useRows(entity.name, params, first, last, true)
  const total = rows.total || (rows.loading ? 12 : 0)
  const virtual = useVirtualizer({ count: Math.ceil(total / across), getScrollElement: () => scroller.current, estimateSize: () => HIGH, gap: GAP, overscan: 2 })
  const items = virtual.getVirtualItems()
  const [from, to] = [(items[0]?.index ?? 0) * across, Math.min(total, ((items.at(-1)?.index ?? 0) + 1) * across) - 1]
  useEffect(() => { setRange([from, Math.max(from, to)]) }, [from, to])

  // What the lines of those in sight come to: one question for all of them.
  const part = entity.lines[0]
  const { data: meta } = useQuery({ ...entityQuery(part?.entity ?? ''), enabled: !!part, retry: false })
  const ids = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => rows.row(from + i)?.id).filter((x): x is string => !!x)
  const value = meta && ['gross', 'total', 'amount', 'net'].map((n) => fieldOf(meta, n)).find((f) => f && ['money', 'quantity', 'number'].includes(f.type))
  const rolled = useQuery({
    queryKey: ['sums', part?.entity, { portfolio: ids }], enabled: !!meta && ids.length > 0, staleTime: 20_000, retry: false,
    queryFn: () => records.aggregate(part!.entity, { group_by: [part!.fk], metrics: [{ function: 'count', as: 'n' }, ...(value ? [{ function: 'sum', field: value.name, as: 'sum' }] : [])], filter: { operator: 'AND', rules: [{ field: part!.fk, operator: 'in', value: ids }] }, limit: 1000 }).then((r) => new Map(r.data.map((x) => [String(x[part!.fk]), x]))),
  })
  const [at, setAt] = useState(0)
  const focus = (i: number) => {
    const index = Math.max(0, Math.min(total - 1, i))
    setAt(index)
    virtual.scrollToIndex(Math.floor(index / across))
    const find = (left: number) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-place="${index}"]`); if (el) el.focus({ preventScroll: true }); else if (left) find(left - 1) })
    find(10)
  }
  useImperativeHandle(handle, () => ({ focus: () => focus(at), step: (id, way) => { for (let i = 0; i < total; i++) if (rows.row(i)?.id === id) return rows.row(i + way); return undefined } }))
  const keys = (e: React.KeyboardEvent) => {
    const i = Number((e.target as HTMLElement).closest<HTMLElement>('[data-place]')?.dataset.place)
    if (Number.isNaN(i) || e.metaKey || e.ctrlKey || e.altKey) return
    const side = getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1
    const row = rows.row(i)
    const f = ({ ArrowRight: () => focus(i + side), ArrowLeft: () => focus(i - side), ArrowDown: () => focus(i + across), ArrowUp: () => focus(i - across), Home: () => focus(0), End: () => focus(total - 1), Enter: () => row && onOpen(row), ' ': () => row && onOpen(row), o: () => row && onOpen(row), Escape: onEscape } as Record<string, () => void>)[e.key]
    if (!f) return
    e.preventDefault(); e.stopPropagation()
    f()
  }
  const measure = meta && value ? readMeasure(meta, `sum:${value.name}`) : undefined
  const tab = at >= from && at <= to ? at : from
  const card = (row: Row, i: number) => {
    const title = titleOf(entity, row)
    const share = shareOf(row, done, of)
    const h = healthOf(entity, due, row, share, today, over)
    const option = entity.states?.options.find((o) => o.id === row[entity.states!.field])
    const lines = rolled.data?.get(row.id)
    const day = typeof row[due.name] === 'string' ? String(row[due.name]) : ''
    const late = h === 'late' ? Math.round((+new Date(today) - +new Date(day.slice(0, 10))) / 864e5) : 0
    return (
      <div role="button" tabIndex={i === tab ? 0 : -1} data-place={i} data-card={row.id} aria-describedby={hint} className={clsx('f-card', row.id === openId && 'open')} onClick={() => onOpen(row)} onFocus={() => setAt(i)} onKeyDown={() => {}}>
        <span className="flex items-center gap-2"><span className="font-semibold truncate flex-1">{title}</span>{option && <Chip option={option} />}</span>
        <span className="flex items-center gap-2 min-w-0 text-muted" style={{ height: 20 }}>{who && !isEmpty(row[who.name]) && createElement(typeOf(who).Cell, { field: who, value: row[who.name], record: row, locale, plain: true })}</span>
        <span className="flex items-center justify-between gap-2"><Sign h={h} /><span className="text-xs text-muted num">{late > 0 ? t('days', { count: late }) : ''}</span></span>
        <span className="text-xs text-muted">{due.label}: {day ? formatDate(instantToLocalDay(day, locale.zone), locale) : t('pivot.none')}</span>
        <span className="block mt-auto">
          {share !== null && <span className="flex items-center gap-2 mb-1"><span className="f-track flex-1" aria-hidden="true"><span style={{ width: `${share * 100}%` }} /></span><span className="num text-xs">{t('portfolio.share', { n: formatNumber(Math.round(share * 100), locale) })}</span></span>}
          <span className="flex justify-between text-xs text-muted num gap-2"><span className="truncate">{lines ? `${part?.label ?? ''}: ${formatNumber(Number(lines.n), locale)}` : ''}</span><span>{money && !isEmpty(row[money.name]) ? typeOf(money).format(row[money.name], money, locale, currencyOf(money, row)) : lines && measure ? sumText(measure, { currency: currencyOf(value!, row) ?? null, value: String(lines.sum) }, locale) : ''}</span></span>
        </span>
      </div>
    )
  }
  return (
    <>
      <div className="f-bar" role="group" aria-label={t('portfolio.health')}>
        {kinds.map((h, i) => <button key={h} type="button" className="f-sum" title={t('portfolio.only', { what: t(`portfolio.${h}`) })} onClick={() => onFilter(healthRule(entity, due, h, today, over).rules as { field: string; operator: string; value?: unknown }[])}><Sign h={h} /><span className="num">{counts[i]?.data === undefined ? '…' : formatNumber(counts[i].data, locale)}</span></button>)}
      </div>
      <div ref={scroller} className="v-scroll" onKeyDown={keys}>
        {rows.error ? <Failure error={rows.error} retry={rows.retry} /> : width > 0 && (
          <div role="list" aria-label={t('portfolio.label', { name: entity.plural })} style={{ position: 'relative', height: virtual.getTotalSize() }}>
            {items.flatMap((it) => Array.from({ length: Math.max(0, Math.min(across, total - it.index * across)) }, (_, c) => {
              const i = it.index * across + c
              const row = rows.row(i)
              return <div key={i} role="listitem" aria-setsize={total} aria-posinset={i + 1} style={{ position: 'absolute', top: it.start, insetInlineStart: c * (wide + GAP), width: wide, height: HIGH }}>{row ? card(row, i) : <div className="skel" style={{ height: '100%', borderRadius: 10 }} />}</div>
            }))}
          </div>
        )}
      </div>
      <p id={hint} className="visually-hidden">{t('gallery.hint')}</p>
    </>
  )
}
const instantToLocalDay = (v: string, zone: string): string => (v.length > 10 ? instantToLocal(v, zone).slice(0, 10) : v)
