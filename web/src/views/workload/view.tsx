import './workload.css'
import { useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ChevronLeft, ChevronRight, TriangleAlert } from 'lucide-react'
import { useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { isEmpty, typeOf } from '@/fields/registry'
import { formatDate, formatNumber, useLocale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { expandKey, listFields, titleOf, titlePath } from '@/meta/hooks'
import type { Field, Row, Rule } from '@/meta/types'
import { Avatar, Dialog, Empty, Failure, Skeleton } from '@/ui/basics'
import { useNearest, windowOf, within } from '../calendar/data'
import { midnight, todayIn, whenOf, type Times } from '../calendar/when'
import { sayDay, sayDays, sayWhen } from '../calendar/words'
import { addDays, firstWeekday, isDay, weekendOf } from '../days'
import type { ViewProps } from '../kind'
import { columnsOf, isRest, over, people, round, type Column, type Load } from './spread'

const MOST = 3000
const ROW = 44

export default function Workload({ entity, by, options, params: asked, on, span, handle, onOptions, onGo, onOpen, onFilter, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { zone } = locale
  const narrow = useNarrow()
  const hint = useId()
  const who = by.who!
  const start = by.start!
  const end = by.end && options.end !== '' && by.end.name !== start.name ? by.end : undefined
  const effort = options.effort === '' ? undefined : by.effort
  const weekend = useMemo(() => weekendOf(locale.locale), [locale.locale])
  const weeks = span === 'week'
  const today = todayIn(zone)
  const day = isDay(on) ? on : today
  const columns = useMemo(() => columnsOf(day, weeks, weeks ? (narrow ? 6 : 12) : narrow ? 14 : 28, firstWeekday(locale.locale), weekend), [day, weeks, narrow, locale.locale, weekend])
  const from = columns[0]!.from
  const to = columns.at(-1)!.to
  const usual = effort ? 8 : 5
  const capacity = Number(options.capacity) > 0 ? Number(options.capacity) : usual
  const times = useMemo<Times>(() => ({ start, end, zone }), [start, end, zone])

  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['calendar', entity.name, 'workload', who.name, start.name, end?.name, effort?.name, asked.filter, asked.q, from, to], staleTime: 20_000,
    queryFn: ({ signal }) => (end ? spans(signal) : singles()),
  })
  const q = asked.q ? { q: asked.q } : {}
  const path = titlePath(who)
  type Answer = { loads: Load[]; names: Record<string, string>; cut: boolean }
  const nameIn = (row: Record<string, unknown>): string => { const other = row[expandKey(who)] as Record<string, unknown> | null; return String((path && other?.[who.ref!.title_field!]) ?? '') }
  /** Single days are summed by the server. */
  const singles = async (): Promise<Answer> => {
    const rows = (await records.aggregate(entity.name, { group_by: [who.name, ...(path ? [path] : []), `${start.name}:day`], metrics: [{ function: 'count', as: 'n' }, ...(effort ? [{ function: 'sum', field: effort.name, as: 'sum' }] : [])], filter: within(asked, times, from, to), ...q, limit: 10_000 })).data
    const names: Record<string, string> = {}
    const loads = rows.map((r): Load => {
      const id = String(r[who.name] ?? '')
      if (path && r[path]) names[id] = String(r[path])
      const d = String(r[start.name]).slice(0, 10)
      return { who: id, from: d, to: d, effort: Number(effort ? r.sum ?? 0 : r.n) }
    })
    return { loads, names, cut: rows.length === 10_000 }
  }
  /** What lasts for days is fetched, and spread here. */
  const spans = async (signal: AbortSignal): Promise<Answer> => {
    const page = await windowOf(entity.name, { filter: within(asked, times, from, to), ...q, sort: `${start.name},id`, fields: listFields(entity, [who, start, end, effort].filter((f) => !!f)) }, MOST, signal)
    const names: Record<string, string> = {}
    const loads = page.data.flatMap((row): Load[] => {
      const w = whenOf(row, times)
      const id = isEmpty(row[who.name]) ? '' : String(row[who.name])
      if (id && nameIn(row)) names[id] = nameIn(row)
      return w ? [{ who: id, from: w.from, to: w.to, effort: effort ? Number(row[effort.name] ?? 0) : 1 }] : []
    })
    return { loads, names, cut: !!page.next }
  }
  const named = (id: string) => (id === '' ? t('workload.nobody') : data?.names[id] || id)
  const rows = useMemo(() => people(data?.loads ?? [], columns, weekend).sort((a, b) => Number(a.who === '') - Number(b.who === '') || named(a.who).localeCompare(named(b.who))), [data, columns, weekend])
  const tooMuch = (id: string, n: number, c: Column) => (id === '' ? 0 : over(n, capacity, c))
  const overloads = rows.reduce((n, p) => n + p.cells.filter((x, i) => tooMuch(p.who, x, columns[i]!) > 0).length, 0)
  const everybody = columns.map((_, i) => round(rows.reduce((n, p) => n + p.cells[i]!, 0)))
  const nothing = !isPending && !error && rows.length === 0
  const near = useNearest(entity, asked, times, from, to, nothing)

  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 4 })
  const [at, setAt] = useState<[number, number]>([0, 0])
  const [shown, setShown] = useState<{ who: string; column: Column } | null>(null)
  const focusCell = (r: number, c: number, tries = 20) => {
    const [y, x] = [Math.max(0, Math.min(rows.length - 1, r)), Math.max(0, Math.min(columns.length - 1, c))]
    if (tries === 20) { setAt([y, x]); virtual.scrollToIndex(y) }
    requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-cell="${y}-${x}"]`); if (el) { el.focus({ preventScroll: true }); el.scrollIntoView({ block: 'nearest', inline: 'nearest' }) } else if (tries) focusCell(y, x, tries - 1) })
  }
  useImperativeHandle(handle, () => ({ focus: () => focusCell(...at) }))
  const keys = (e: React.KeyboardEvent, r: number, c: number) => {
    if (e.metaKey || e.ctrlKey || e.altKey) return
    const rtl = getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1
    const go: Record<string, () => void> = {
      ArrowRight: () => focusCell(r, c + rtl), ArrowLeft: () => focusCell(r, c - rtl), ArrowDown: () => focusCell(r + 1, c), ArrowUp: () => focusCell(r - 1, c), Home: () => focusCell(r, 0), End: () => focusCell(r, columns.length - 1),
      Enter: () => setShown({ who: rows[r]!.who, column: columns[c]! }), ' ': () => setShown({ who: rows[r]!.who, column: columns[c]! }), Escape: onEscape, PageDown: () => page(1), PageUp: () => page(-1),
    }
    const f = go[e.key]
    if (f) { e.preventDefault(); f() }
  }
  const page = (way: number) => onGo(addDays(from, way * (weeks ? columns.length * 7 : columns.length)))
  const say = (n: number) => formatNumber(Math.round(n * 100) / 100, locale)
  const columnName = (c: Column) => sayDays(c.from, c.to, locale)
  const grid = { gridTemplateColumns: `${narrow ? 120 : 208}px repeat(${columns.length},minmax(${weeks ? 62 : 30}px,1fr)) ${narrow ? 0 : 64}px` }

  return (
    <>
      <div className="flex items-center gap-1.5 px-3 h-11 flex-none border-b border-line max-md:h-13 no-print">
        <h2 className="m-0 text-base font-semibold flex-1 truncate" aria-live="polite">{sayDays(from, to, locale)}</h2>
        {!isPending && !narrow && !nothing && <span role="status" className={clsx('flex items-center gap-1.5 pe-2', overloads ? 'text-bad font-medium' : 'text-muted')}>{overloads > 0 && <TriangleAlert size={14} />}{overloads ? t('workload.overload', { count: overloads }) : t('workload.noOverload')}</span>}
        <label className="flex items-center gap-1.5 text-muted flex-none"><span className={narrow ? 'visually-hidden' : ''}>{t('workload.capacity')}</span><Capacity key={capacity} value={capacity} onChange={(n) => onOptions({ capacity: n === usual ? '' : String(n) })} /></label>
        {narrow ? <select className="input flex-none" style={{ width: 'auto' }} aria-label={t('timeline.zoom')} value={weeks ? 'week' : 'day'} onChange={(e) => onGo(day, e.target.value)}><option value="day">{t('workload.days')}</option><option value="week">{t('workload.weeks')}</option></select>
          : <div role="group" aria-label={t('timeline.zoom')} className="flex rounded-md border border-line">{([['day', 'days'], ['week', 'weeks']] as const).map(([s, word]) => <button key={s} type="button" className={clsx('btn ghost sm', (s === 'week') === weeks ? 'on' : 'text-muted')} aria-pressed={(s === 'week') === weeks} onClick={() => onGo(day, s)}>{t(`workload.${word}`)}</button>)}</div>}
        <button type="button" className="btn sm max-md:hidden" onClick={() => onGo(today)}>{t('calendar.today')}</button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.before')} onClick={() => page(-1)}><ChevronLeft size={15} className="rtl:scale-x-[-1]" /></button>
        <button type="button" className="btn icon sm" aria-label={t('calendar.after')} onClick={() => page(1)}><ChevronRight size={15} className="rtl:scale-x-[-1]" /></button>
      </div>
      {data?.cut && <p className="m-0 px-3 py-1.5 text-warn border-b border-line" role="status">{t('workload.cut', { n: formatNumber(end ? MOST : 10_000, locale) })}</p>}
      {error ? <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div> : isPending ? <Skeleton rows={8} /> : nothing ? (
        <Empty title={t('calendar.none')}>{[near?.before, near?.after].map((d) => d && <button key={d} type="button" className="btn" onClick={() => onGo(d)}>{t('calendar.show', { day: formatDate(d, locale) })}</button>)}</Empty>
      ) : (
        <div ref={scroller} className="wl" role="grid" aria-label={t('workload.label', { name: entity.plural })} aria-rowcount={rows.length + 2} aria-describedby={hint}>
          <div role="row" aria-rowindex={1} className="wl-row head" style={grid}>
            <div role="columnheader" className="wl-who">{who.label}</div>
            {columns.map((c) => (
              <div key={c.from} role="columnheader" className={clsx('wl-day', isRest(c, weekend) && 'rest', today >= c.from && today <= c.to && 'now')}>
                <span className="visually-hidden">{columnName(c)}</span>
                {weeks ? <span aria-hidden="true">{sayDay(c.from, locale, { day: 'numeric', month: 'short' })}</span> : <><span aria-hidden="true">{sayDay(c.from, locale, { weekday: 'narrow' })}</span><b aria-hidden="true">{Number(c.from.slice(8))}</b></>}
              </div>
            ))}
            <div role="columnheader" className="wl-total">{t('workload.total')}</div>
          </div>
          <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {virtual.getVirtualItems().map((v) => {
              const p = rows[v.index]!
              return (
                <div key={p.who} role="row" aria-rowindex={v.index + 2} data-who={p.who} className="wl-row" style={{ ...grid, position: 'absolute', insetInline: 0, top: v.start }}>
                  <div role="rowheader" className="wl-who">{p.who !== '' && who.type === 'user' && <Avatar name={named(p.who)} />}<span className={clsx('truncate', p.who === '' && 'text-muted')}>{named(p.who)}</span></div>
                  {p.cells.map((n, i) => {
                    const c = columns[i]!
                    const extra = tooMuch(p.who, n, c)
                    const share = c.work && p.who !== '' ? Math.min(1, n / (capacity * c.work)) : 0
                    const whole = t('workload.cell', { who: named(p.who), when: columnName(c), n: say(n), capacity: p.who === '' ? '–' : say(capacity * c.work) }) + (extra ? `, ${t('workload.over', { n: say(extra) })}` : '')
                    return (
                      <div key={c.from} role="gridcell" data-cell={`${v.index}-${i}`} data-n={n} data-over={extra || undefined} tabIndex={at[0] === v.index && at[1] === i ? 0 : -1} title={n ? whole : undefined}
                        className={clsx('wl-cell num', isRest(c, weekend) && 'rest', extra > 0 && 'over', n > 0 && 'some')} onClick={() => { setAt([v.index, i]); setShown({ who: p.who, column: c }) }} onFocus={() => setAt([v.index, i])} onKeyDown={(e) => keys(e, v.index, i)}>
                        {share > 0 && <i aria-hidden="true" style={{ blockSize: `${Math.max(8, share * 100)}%` }} />}
                        {n > 0 && <span aria-hidden="true">{say(n)}{extra > 0 && <small>+{say(extra)}</small>}</span>}
                        <span className="visually-hidden">{whole}</span>
                      </div>
                    )
                  })}
                  <div role="gridcell" className="wl-total num">{say(p.total)}</div>
                </div>
              )
            })}
          </div>
          <div role="row" aria-rowindex={rows.length + 2} className="wl-row foot" style={grid}>
            <div role="rowheader" className="wl-who">{t('workload.everybody')}</div>
            {everybody.map((n, i) => <div key={columns[i]!.from} role="gridcell" className={clsx('wl-cell num', isRest(columns[i]!, weekend) && 'rest')}>{n > 0 && say(n)}</div>)}
            <div role="gridcell" className="wl-total num">{say(rows.reduce((n, p) => n + p.total, 0))}</div>
          </div>
        </div>
      )}
      <p id={hint} className="visually-hidden">{t('workload.hint')}</p>
      {shown && <Records entity={entity} asked={asked} times={times} who={who} effort={effort} id={shown.who} name={named(shown.who)} column={shown.column} onClose={() => { setShown(null); focusCell(...at) }} onOpen={(row) => { setShown(null); onOpen(row) }} onFilter={(rules) => { setShown(null); onFilter(rules) }} />}
    </>
  )
}

function Capacity({ value, onChange }: { value: number; onChange: (n: number) => void }) {
  const [text, setText] = useState(String(value))
  const done = () => { const n = Number(text.replace(',', '.')); if (n > 0 && n <= 1000) { if (n !== value) onChange(n) } else setText(String(value)) }
  return <input className="input num" inputMode="decimal" style={{ width: 52, height: 26, textAlign: 'end' }} value={text} onChange={(e) => setText(e.target.value)} onBlur={done} onKeyDown={(e) => { if (e.key === 'Enter') done() }} />
}

/** What is behind a cell. */
function Records({ entity, asked, times, who, effort, id, name, column, onClose, onOpen, onFilter }: {
  entity: ViewProps['entity']; asked: records.ListParams; times: Times; who: Field; effort: Field | undefined; id: string; name: string; column: Column; onClose: () => void; onOpen: (row: Row) => void; onFilter: ViewProps['onFilter']
}) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { start, end, zone } = times
  const rule: Rule = id === '' ? { field: who.name, operator: 'is_empty' } : { field: who.name, operator: 'equals', value: id }
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['calendar', entity.name, 'cell', who.name, id, start.name, end?.name, effort?.name, column.from, column.to, asked.filter, asked.q], staleTime: 20_000,
    queryFn: ({ signal }) => records.list(entity.name, { filter: within(asked, times, column.from, column.to, rule), ...(asked.q ? { q: asked.q } : {}), sort: `${start.name},id`, fields: listFields(entity, [start, end, effort].filter((f) => !!f)), limit: 200, count: 'exact' }, signal),
  })
  const edge = (f: Field, d: string) => (f.type === 'datetime' ? new Date(midnight(d, zone)).toISOString() : d)
  const filter = () => onFilter([rule, { field: start.name, operator: 'less_than', value: edge(start, addDays(column.to, 1)) }, end ? { field: end.name, operator: 'greater_or_equal', value: edge(end, column.from) } : { field: start.name, operator: 'greater_or_equal', value: edge(start, column.from) }])
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => { list.current?.querySelector('button')?.focus() }, [data])
  return (
    <Dialog title={`${name}, ${sayDays(column.from, column.to, locale)}`} width={480} onClose={onClose} footer={<button type="button" className="btn" onClick={filter}>{t('workload.filter')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton rows={3} /> : data.data.length === 0 ? <p className="m-0 text-muted">{t('calendar.none')}</p> : (
        <ul ref={list} className="m-0 p-0 list-none">
          {data.data.map((row) => {
            const w = whenOf(row, times)
            return <li key={row.id}><button type="button" className="item" onClick={() => onOpen(row)}><span className="font-medium truncate">{titleOf(entity, row)}</span><span className="flex-1 text-muted truncate">{w && sayWhen(w, locale)}</span>{effort && <span className="num">{typeOf(effort).format(row[effort.name], effort, locale)}</span>}</button></li>
          })}
          {data.count && data.count.value > data.data.length && <li className="item text-muted">{t('more', { count: data.count.value - data.data.length })}</li>}
        </ul>
      )}
    </Dialog>
  )
}
