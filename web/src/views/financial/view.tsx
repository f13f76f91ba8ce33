import '../dashboard/dashboard.css'
import '../pivot/pivot.css'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { Download, Minus, Plus, Printer } from 'lucide-react'
import { useImperativeHandle, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { formatNumber } from '@/lib/format'
import { hueName, Failure, Skeleton } from '@/ui/basics'
import { Bars, HUES, Lines, type Mark } from '../dashboard/charts'
import { currencyOf } from '../dashboard/data'
import type { ViewProps } from '../kind'
import { both, BUCKETS, comparer, gatherAll, readDim, readMeasure, ruleOf, spanLabel, spanNext, sumText, valueLabel } from '../pivot/cube'
import { csv, download, printOnly, useCurrency, useSay, useTable, useTargets } from '../pivot/parts'
import { periodsOf } from './sums'

const SHOWN = 60

/** What came in and went out, period by period, and what it comes to. */
export default function Financial({ entity, by, params, options, onOptions, handle, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const say = useSay()
  const { locale } = say
  const toTable = useTable()
  const targets = useTargets(entity)
  const currency = useCurrency(entity, targets)
  const table = useRef<HTMLTableElement>(null)
  const step = BUCKETS.find((b) => b === options.step) ?? 'month'
  const measure = readMeasure(entity, `sum:${by.amount!.name}`)!
  const dims = useMemo(() => (targets ? [readDim(entity, targets, `${by.day!.name}:${step}`), by.category && readDim(entity, targets, by.category.name)].filter((d) => !!d) : null), [entity, targets, by.day, by.category, step])
  const { data, error, refetch } = useQuery({
    queryKey: ['sums', entity.name, { financial: dims?.map((d) => d.asked), m: measure.id, currency, filter: params.filter, q: params.q }], enabled: !!dims, staleTime: 20_000, placeholderData: keepPreviousData,
    queryFn: async () => ({ dims: dims!, ...(await gatherAll(entity, dims!.length > 1 ? [[0, 1], [1], []] : [[0], []], { dims: dims!, measures: [measure], currency, base: params })) }),
  })
  useImperativeHandle(handle, () => ({ focus: () => table.current?.querySelector<HTMLElement>('button')?.focus() }))
  const less = useMemo(() => new Set((options.minus ?? '').split(',').filter(Boolean)), [options.minus])
  const money = useMemo(() => (data ? currencyOf(data.facts.flat(), options.currency, locale.currency) : null), [data, options.currency, locale.currency])
  const yearly = options.against === 'year' && step !== 'year' && step !== 'week' && step !== 'day'
  const periods = useMemo(() => {
    if (!data || !money) return []
    const d = data.dims[0]!
    return periodsOf(d, data.facts[0]!, money.shown, less, (k) => (yearly ? `${Number(k.slice(0, 4)) - 1}${k.slice(4)}` : spanNext(k, d.bucket!, -1)))
  }, [data, money, less, yearly])
  if (error && !data) return <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
  if (!data || !money) return <Skeleton rows={8} />

  const category = data.dims[1]
  const raws = new Map((category ? data.facts[1]! : []).map((f) => [f.at[0]!, f.raw[0]]))
  const weight = (k: string) => Math.abs(periods.reduce((n, p) => n + Number(p.by[k] ?? 0), 0))
  const natural = category && comparer(category, say, entity.states)
  const all = [...raws.keys()].sort((a, b) => (category?.field.options ? natural!(raws.get(a), raws.get(b)) : weight(b) - weight(a)))
  const keys = category ? all.slice(0, 6) : ['']
  const shown = periods.slice(-SHOWN)
  const text = (value: string | undefined, compact = false) => (value === undefined ? '' : sumText(measure, { currency: money.shown, value }, locale, compact))
  const short = (v: number) => sumText(measure, { currency: money.shown, value: String(Math.round(v * 100) / 100) }, locale, Number.isInteger(v))
  const name = (k: string) => (category ? valueLabel(category, raws.get(k), say) : measure.field!.label)
  const hue = (k: string, i: number) => { const o = category?.field.options?.find((x) => x.id === k); const named = o && hueName(o); return named && named !== 'gray' ? named : HUES[i % HUES.length] }
  const labels = shown.map((p) => ({ key: p.key, label: spanLabel(p.key, step, say, true) }))
  const mark = (p: (typeof shown)[number], value: string | undefined): Mark | null => (value === undefined ? null : { key: p.key, label: spanLabel(p.key, step, say), value: Number(value), text: text(value) })
  const flip = (k: string) => { const id = k || '-'; onOptions({ minus: (less.has(id) ? [...less].filter((x) => x !== id) : [...less, id]).join(',') }) }
  const drill = (key: string, k?: string) => toTable(both(params.filter, [ruleOf(data.dims[0]!, key, locale.zone), ...(k !== undefined && category ? [ruleOf(category, raws.get(k), locale.zone)] : [])]))
  const percent = (n: number | null) => (n === null ? '' : `${n > 0 ? '+' : n < 0 ? '−' : ''}${formatNumber(Math.abs(n).toFixed(Math.abs(n) < 10 ? 1 : 0), locale)}%`)
  const save = () => download(`${entity.plural}.csv`, 'text/csv;charset=utf-8', csv([[t('financial.period'), ...keys.map(name), t('pivot.total'), t('financial.change'), t('financial.balance')], ...periods.map((p) => [spanLabel(p.key, step, say), ...keys.map((k) => p.by[k] ?? ''), p.total, p.change === null ? '' : p.change.toFixed(1), p.balance])]))
  return (
    <>
      <div className="p-bar">
        <div role="group" aria-label={t('dash.step')} className="flex flex-none rounded-md border border-line">{BUCKETS.slice(0, 4).map((b) => <button key={b} type="button" aria-pressed={step === b} className={clsx('btn ghost sm', step === b ? 'on' : 'text-muted')} onClick={() => onOptions({ step: b })}>{t(`pivot.step_${b}`)}</button>)}</div>
        <select className="input" style={{ width: 'auto', height: 28 }} aria-label={t('financial.against')} value={yearly ? 'year' : 'before'} onChange={(e) => onOptions({ against: e.target.value })}><option value="before">{t('financial.againstBefore')}</option><option value="year">{t('financial.againstYear')}</option></select>
        {money.others.length > 0 && <select className="input" style={{ width: 'auto', height: 28 }} aria-label={t('dash.currency')} value={money.shown ?? ''} onChange={(e) => onOptions({ currency: e.target.value })}>{[money.shown, ...money.others].filter((c): c is string => !!c).sort().map((c) => <option key={c}>{c}</option>)}</select>}
        {category && keys.map((k, i) => <button key={k} type="button" className="p-chip" aria-pressed={less.has(k || '-')} title={t('financial.flip')} onClick={() => flip(k)}><svg width="8" height="8" className={`c-${hue(k, i)}`} aria-hidden="true"><circle cx="4" cy="4" r="4" fill="var(--cc)" /></svg>{name(k)}{less.has(k || '-') ? <Minus size={12} aria-label={t('financial.out')} /> : <Plus size={12} aria-label={t('financial.in')} />}</button>)}
        <span className="flex-1" />
        {category && all.length > keys.length && <span className="text-muted text-xs">{t('financial.rest', { n: formatNumber(all.length - keys.length, locale) })}</span>}
        <button type="button" className="btn ghost icon sm" aria-label={t('pivot.csv')} title={t('pivot.csv')} onClick={save}><Download size={15} /></button>
        <button type="button" className="btn ghost icon sm" aria-label={t('pivot.print')} title={t('pivot.print')} onClick={() => table.current && printOnly(table.current.cloneNode(true) as HTMLElement, `${entity.plural} · ${measure.field!.label}`)}><Printer size={15} /></button>
      </div>
      <div className="flex-1 min-h-0 overflow-auto p-3" onKeyDown={(e) => e.key === 'Escape' && onEscape()}>
        {periods.length === 0 ? <p className="text-muted text-center py-10">{t('dash.nothing')}</p> : (
          <>
            <div className="grid gap-3 md:grid-cols-2 mb-3">
              <section className="d-widget" style={{ height: 270 }} aria-label={t('financial.flow')}><header className="d-head"><h2>{t('financial.flow')}</h2></header><div className="d-body"><Bars label={t('financial.flow')} labels={labels} stacked short={short} onPick={(p) => drill(p.group)} series={keys.map((k, i) => ({ key: k, label: name(k), hue: category ? hue(k, i) : undefined, marks: shown.map((p) => mark(p, p.by[k])) }))} /></div></section>
              <section className="d-widget" style={{ height: 270 }} aria-label={t('financial.balance')}><header className="d-head"><h2>{t('financial.balance')}</h2></header><div className="d-body"><Lines label={t('financial.balance')} labels={labels} area short={short} series={[{ key: '', label: '', marks: shown.map((p) => mark(p, p.balance)) }]} /></div></section>
            </div>
            <div className="d-widget d-body" style={{ overflowX: 'auto' }}>
              <table ref={table} className="d-table">
                <thead><tr><th scope="col">{t('financial.period')}</th>{category && keys.map((k) => <th key={k} scope="col" className="end">{name(k)}{less.has(k || '-') && ' (−)'}</th>)}<th scope="col" className="end">{t('pivot.total')}</th><th scope="col" className="end">{t(yearly ? 'financial.changeYear' : 'financial.change')}</th><th scope="col" className="end">{t('financial.balance')}</th></tr></thead>
                <tbody>{shown.toReversed().map((p) => (
                  <tr key={p.key}>
                    <th scope="row"><button type="button" className="d-cell" onClick={() => drill(p.key)}>{spanLabel(p.key, step, say)}</button></th>
                    {category && keys.map((k) => <td key={k} className="end num">{p.by[k] !== undefined && <button type="button" className="d-cell" style={{ marginInlineStart: 'auto' }} onClick={() => drill(p.key, k)}>{text(p.by[k])}</button>}</td>)}
                    <td className="end num font-semibold">{text(p.total)}</td>
                    <td className={clsx('end num', p.change === null ? '' : p.change < 0 ? 'text-bad' : 'text-good')}>{percent(p.change)}</td>
                    <td className="end num">{text(p.balance)}</td>
                  </tr>
                ))}</tbody>
              </table>
            </div>
          </>
        )}
      </div>
    </>
  )
}
