import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { ArrowDownRight, ArrowRight, ArrowUpRight, ListTree } from 'lucide-react'
import { createElement, useMemo, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { currencyOf as currencyOfRow, typeOf } from '@/fields/registry'
import { formatNumber, instantToLocal } from '@/lib/format'
import { fieldOf, listFields, titleOf, useEntity, wireSort } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { Avatar, Progress } from '@/ui/basics'
import { Markdown } from '@/ui/markdown'
import { addDays, firstWeekday } from '../days'
import { both, countryName, daysRule, dimLabel, dimPath, isCountry, measureLabel, readDim, spanLabel, spanNext, spanStart, sumText, valueLabel, type Base, type Dim, type Measure, type Say, type Sum } from '../pivot/cube'
import { ask, build, cellOf, linesOf } from '../pivot/model'
import { useCurrency, useSay, useTable, useTargets } from '../pivot/parts'
import { Bars, Days, Funnel, HUES, Legend, Lines, Pie, SideBars, Spark, type Mark, type Pick } from './charts'
import { baseOf, currencyOf, sumIn, useChart, useFacts, type Chart, type Cross } from './data'
import { NEEDS, valueOf, type Widget } from './model'

export interface Shared { page: string; outer: Base; crosses: Cross[]; onCross: (c: Cross | null) => void; onOptions: (w: Widget) => void }
interface Inner { w: Widget; e: Entity; group: Dim | undefined; split: Dim | undefined; when: Dim | undefined; measure: Measure; currency: string | undefined; base: Base; say: Say; shared: Shared; table: boolean }

export function titleFor(w: Widget, e: Entity | undefined, x: { measure?: Measure; group?: Dim | undefined }, t: Say['t']): string {
  if (w.title) return w.title
  if (w.kind === 'note') return t('dash.note')
  if (!e) return ''
  if (w.kind === 'list') return e.plural
  const value = x.measure?.field ? measureLabel(x.measure, t) : e.plural
  return x.group && w.kind !== 'number' && w.kind !== 'progress' ? t('dash.titleBy', { value, group: dimLabel(x.group, t) }) : value
}

/** A widget: its head, and what it shows. The tools of somebody who edits come from outside. */
export function WidgetCard({ w, id, entity: page, shared, tools, headed }: { w: Widget; id: string; entity: Entity; shared: Shared; tools?: ReactNode; headed?: (title: string) => void }) {
  const { t } = useTranslation()
  const { data, error } = useEntity(w.kind === 'note' ? undefined : w.entity ?? page.name)
  const e = w.entity && w.entity !== page.name ? data : page
  if (w.kind === 'note') return <Frame id={id} title={w.title ?? ''} bare={!w.title} tools={tools}><Note text={w.text ?? ''} /></Frame>
  if (error) return <Frame id={id} title={w.title ?? t('dash.closed')} tools={tools}><p className="text-muted m-0">{messageOf(error)}</p></Frame>
  if (!e) return <Frame id={id} title={w.title ?? '…'} tools={tools}><div className="skel" style={{ width: '60%' }} /></Frame>
  return <Known key={e.name} id={id} w={w} e={e} shared={shared} tools={tools} headed={headed} />
}

const CHARTS = ['bar', 'hbar', 'stacked', 'line', 'area', 'pie', 'funnel', 'days']
function Known({ w, id, e, shared, tools, headed }: { w: Widget; id: string; e: Entity; shared: Shared; tools: ReactNode; headed: ((title: string) => void) | undefined }) {
  const { t } = useTranslation()
  const say = useSay()
  const targets = useTargets(e)
  const currency = useCurrency(e, targets)
  const toTable = useTable()
  const [table, setTable] = useState(false)
  const needs = NEEDS[w.kind]
  const measure = useMemo(() => valueOf(e, w), [e, w])
  const dims = useMemo(() => {
    if (!targets) return null
    const read = (id: string | undefined) => (id ? readDim(e, targets, id) : undefined)
    const group = read(w.kind === 'days' && w.group ? `${w.group.split(':')[0]}:day` : w.group)
    const split = needs.split ? read(w.split) : undefined
    return { group, split: split && split.key !== group?.key ? split : undefined, when: read(w.when) }
  }, [e, targets, w, needs])
  const base = useMemo(() => baseOf(w, e, shared.page, shared.outer, shared.crosses, say.locale.zone), [w, e, shared.page, shared.outer, shared.crosses, say.locale.zone])
  const title = titleFor(w, e, { measure, group: dims?.group }, t)
  headed?.(title)
  const lacks = dims && (needs.group || needs.time) && !dims.group
  const tool = (
    <>
      {CHARTS.includes(w.kind) && !lacks && <button type="button" className="btn ghost sm d-quiet no-print" aria-pressed={table} onClick={() => setTable(!table)}>{t(table ? 'dash.asChart' : 'dash.asTable')}<span className="visually-hidden">: {title}</span></button>}
      <button type="button" className="btn ghost icon sm d-quiet no-print" aria-label={t('dash.records', { name: title })} title={t('dash.records', { name: title })} onClick={() => toTable(base.filter ?? undefined, e.name)}><ArrowRight size={14} className="rtl:scale-x-[-1]" /></button>
      {tools}
    </>
  )
  const inner = dims && { w, e, ...dims, measure, currency, base, say, shared, table }
  return (
    <Frame id={id} title={title} tools={tool}>
      {!inner ? <div className="skel" style={{ width: '60%' }} />
        : lacks ? <p className="text-muted m-0">{t('dash.needsGroup')}</p>
          : w.kind === 'number' ? <NumberBody {...inner} /> : w.kind === 'progress' ? <GoalBody {...inner} /> : w.kind === 'list' ? <ListBody {...inner} />
            : w.kind === 'pivot' ? <PivotBody {...inner} /> : w.kind === 'days' ? <DaysBody {...inner} /> : <ChartBody {...inner} />}
    </Frame>
  )
}

function Frame({ id, title, tools, children, bare }: { id: string; title: string; tools?: ReactNode; children: ReactNode; bare?: boolean }) {
  return (
    <>
      <header className={clsx('d-head', bare && !tools && 'd-bare')}><h2 id={id} title={title}>{title}</h2>{tools}</header>
      <div className="d-body">{children}</div>
    </>
  )
}
const Wrong = ({ error }: { error: unknown }) => <p role="alert" className="m-0 text-bad">{messageOf(error)}</p>
const Bones = () => <div className="space-y-3 pt-2" role="status"><div className="skel" style={{ width: '70%' }} /><div className="skel" style={{ width: '45%' }} /></div>
function Nothing() { const { t } = useTranslation(); return <p className="text-muted m-0 self-center text-center">{t('dash.nothing')}</p> }

/** More than one currency: one is drawn, the others can be. */
function Currencies({ w, chart, onOptions }: { w: Widget; chart: { shown: string | null; others: string[] }; onOptions: (w: Widget) => void }) {
  const { t } = useTranslation()
  if (!chart.others.length || !chart.shown) return null
  return <select className="d-currency" aria-label={t('dash.currency')} value={chart.shown} onChange={(x) => onOptions({ ...w, currency: x.target.value })}>{[chart.shown, ...chart.others].sort().map((c) => <option key={c}>{c}</option>)}</select>
}

// ---- drawings ---------------------------------------------------------------------------------------------------------

function ChartBody(p: Inner) {
  const { w, e, group, split, measure, say, shared, table } = p
  const { t } = useTranslation()
  const dims = useMemo(() => [group, split].filter((d) => !!d), [group, split])
  const { chart, error, isPending } = useChart({ ...p, dims })
  if (error && !chart) return <Wrong error={error} />
  if (isPending || !chart) return <Bones />
  const first = chart.series[0]?.marks.filter((m) => !!m) ?? []
  if (!chart.labels.length || !first.length && chart.series.length < 2) return <Nothing />
  const mine = shared.crosses.find((c) => c.widget === w.id)
  const picked = mine?.key
  const pickKey = (key: string) => {
    const label = chart.labels.find((l) => l.key === key)
    if (!label) return
    shared.onCross(picked === key ? null : { widget: w.id, entity: e.name, dim: group!, raw: label.raw, key, label: `${group!.via ? `${group!.via.label} · ` : ''}${group!.field.label}: ${valueLabel(group!, label.raw, say)}` })
  }
  const onPick = (x: Pick) => pickKey(x.group)
  const short = (v: number) => sumText(measure, { currency: chart.shown, value: String(Math.round(v * 1e6) / 1e6) }, say.locale, Number.isInteger(v))
  const common = { label: titleFor(w, e, { measure, group }, t), picked, onPick, short }
  const marks: Mark[] = first.map((m, i) => (['pie', 'funnel'].includes(w.kind) ? { ...m, hue: m.hue ?? HUES[i % HUES.length] } : m))
  if (table || w.kind === 'top') return <><Currencies w={w} chart={chart} onOptions={shared.onOptions} /><ChartTable {...p} chart={chart} picked={picked} onPick={pickKey} ranked={w.kind === 'top'} /></>
  const total = w.kind === 'pie' ? first.reduce((n, m) => n + m.value, 0) : 0
  const legend = split ? chart.series.map((s) => ({ key: s.key, label: s.label, hue: s.hue })) : w.kind === 'pie' ? marks.map((m) => ({ key: m.key, label: m.label, hue: m.hue, text: total ? `${Math.round((m.value / total) * 100)}%` : '' })) : []
  return (
    <>
      <Currencies w={w} chart={chart} onOptions={shared.onOptions} />
      <div className="flex-1 min-h-0">
        {w.kind === 'pie' ? <Pie {...common} marks={marks} middle={measure.fn === 'count' || measure.fn === 'sum' ? short(total) : undefined} />
          : w.kind === 'hbar' ? <SideBars {...common} marks={marks} />
            : w.kind === 'funnel' ? <Funnel {...common} marks={marks} />
              : w.kind === 'line' || w.kind === 'area' ? <Lines {...common} labels={chart.labels} series={chart.series} area={w.kind === 'area'} />
                : <Bars {...common} labels={chart.labels} series={chart.series.map((s) => (split ? s : { ...s, marks: s.marks.map((m) => m && { ...m, hue: undefined }) }))} stacked={w.kind === 'stacked'} />}
      </div>
      {legend.length > 0 && <Legend items={legend} picked={split ? undefined : picked} onPick={split ? undefined : pickKey} />}
      {chart.left > 0 && <p className="d-foot">{t('dash.left', { count: chart.left, n: formatNumber(chart.left, say.locale) })}</p>}
    </>
  )
}

function ChartTable({ group, measure, say, chart, picked, onPick, ranked }: Inner & { chart: Chart; picked: string | undefined; onPick: (key: string) => void; ranked: boolean }) {
  const { t } = useTranslation()
  const several = chart.series.length > 1
  const most = Math.max(1, ...chart.series.flatMap((s) => s.marks.map((m) => Math.abs(m?.value ?? 0))))
  const named = group!.field.type === 'user' || (group!.field.type === 'relation' && ranked)
  return (
    <div className="d-scroll">
      <table className="d-table">
        <thead className={ranked ? 'visually-hidden' : undefined}><tr>{ranked && <th scope="col">#</th>}<th scope="col">{dimLabel(group!, say.t)}</th>{ranked && <th scope="col">{t('dash.share')}</th>}{several ? chart.series.map((s) => <th key={s.key} scope="col" className="end">{s.label}</th>) : <th scope="col" className="end">{measureLabel(measure, t)}</th>}</tr></thead>
        <tbody>
          {chart.labels.map((l, i) => {
            const m = chart.series[0]?.marks[i]
            const label = valueLabel(group!, l.raw, say)
            return (
              <tr key={l.key} className={clsx(picked === l.key && 'd-on')}>
                {ranked && <td className="num text-faint" style={{ width: 26 }}>{i + 1}</td>}
                <th scope="row"><button type="button" className="d-cell" aria-pressed={picked === l.key} onClick={() => onPick(l.key)}>{named && <Avatar name={label} size={20} />}<span className="truncate">{label}</span></button></th>
                {ranked && <td style={{ width: '24%' }} aria-hidden="true"><span className="d-bar" style={{ width: `${Math.max(2, (Math.abs(m?.value ?? 0) / most) * 100)}%` }} /></td>}
                {chart.series.map((s) => <td key={s.key} className="end num">{s.marks[i]?.text ?? ''}</td>)}
              </tr>
            )
          })}
        </tbody>
      </table>
      {chart.left > 0 && <p className="d-foot">{t('dash.left', { count: chart.left, n: formatNumber(chart.left, say.locale) })}</p>}
    </div>
  )
}

// ---- numbers ----------------------------------------------------------------------------------------------------------

const todayIn = (zone: string): string => instantToLocal(new Date().toISOString(), zone).slice(0, 10)
const BACK = 13
function Big({ sums, measure, say }: { sums: Sum[]; measure: Measure; say: Say }) {
  const all = sums.length ? sums : [{ currency: null, value: '0' }]
  return <div className="min-w-0">{all.slice(0, 3).map((s, i) => { const full = sumText(measure, s, say.locale); return <div key={s.currency ?? ''} className={i || all.length > 1 ? 'd-half' : 'd-big'} title={full}>{full.length > 13 ? sumText(measure, s, say.locale, true) : full}</div> })}</div>
}
function NumberBody({ w, e, when, measure, currency, base, say }: Inner) {
  const { t } = useTranslation()
  const today = todayIn(say.locale.zone)
  const bucket = when?.bucket
  const now = bucket ? spanStart(today, bucket) : ''
  const narrowed = useMemo<Base>(() => (when && bucket && w.anchor !== 'last' ? { ...base, filter: both(base.filter, [daysRule(dimPath(when), when.field, spanNext(now, bucket, -BACK + 1), addDays(spanNext(now, bucket), -1), say.locale.zone)]) } : base), [base, when, bucket, w.anchor, now, say.locale.zone])
  const asked = useFacts({ e, dims: when ? [when] : [], measure, currency, base: narrowed, ...(when ? { sort: [`-${when.key}`], limit: BACK * 8 } : {}) })
  if (asked.error && !asked.data) return <Wrong error={asked.error} />
  if (!asked.data) return <Bones />
  const { facts } = asked.data
  if (!when || !bucket) return <div className="flex items-end gap-3 justify-between"><Big sums={facts[0]?.sums[0] ?? []} measure={measure} say={say} /></div>
  const current = w.anchor === 'last' ? facts.map((f) => f.at[0]!).filter(Boolean).sort().at(-1) : now
  if (!current) return <Nothing />
  const before = spanNext(current, bucket, -1)
  const of = (k: string) => facts.find((f) => f.at[0] === k)
  const { shown } = currencyOf([of(current), ...facts].filter((f) => !!f), w.currency, say.locale.currency)
  const history = Array.from({ length: BACK }, (_, i) => spanNext(current, bucket, i - BACK + 1))
  const known = history.map((k) => Number(sumIn(of(k), shown)?.value ?? 0))
  const [is, was] = [known.at(-1)!, known.at(-2)!]
  const change = was ? ((is - was) / Math.abs(was)) * 100 : null
  const up = change !== null && change > 0
  const tone = change === null || Math.abs(change) < 0.05 ? 'text-muted' : up !== !!w.lower ? 'text-good' : 'text-bad'
  const rounded = change === null ? '' : formatNumber(Math.abs(change) >= 1000 ? '999' : Math.abs(change).toFixed(Math.abs(change) < 10 ? 1 : 0), say.locale)
  return (
    <div>
      <div className="flex items-center gap-2 justify-between">
        <Big sums={of(current)?.sums[0] ?? []} measure={measure} say={say} />
        {w.w > 2 && <Spark values={known} />}
      </div>
      <div className={clsx('d-change', tone)}>
        {change !== null && (up ? <ArrowUpRight size={14} aria-hidden="true" /> : <ArrowDownRight size={14} aria-hidden="true" />)}
        <span className="truncate">{change === null ? spanLabel(current, bucket, say) : t(up ? 'dash.up' : 'dash.down', { n: `${Math.abs(change) >= 1000 ? '>' : ''}${rounded}`, now: spanLabel(current, bucket, say), was: spanLabel(before, bucket, say) })}</span>
      </div>
    </div>
  )
}
function GoalBody({ w, e, measure, currency, base, say }: Inner) {
  const { t } = useTranslation()
  const asked = useFacts({ e, dims: [], measure, currency, base })
  if (asked.error && !asked.data) return <Wrong error={asked.error} />
  if (!asked.data) return <Bones />
  const { shown } = currencyOf(asked.data.facts, w.currency, say.locale.currency)
  const sum = sumIn(asked.data.facts[0], shown) ?? { currency: shown, value: '0' }
  const goal = Number(w.goal ?? 0)
  const label = t('dash.ofGoal', { value: sumText(measure, sum, say.locale), goal: sumText(measure, { currency: sum.currency, value: w.goal && /^-?\d+(\.\d+)?$/.test(w.goal) ? w.goal : '0' }, say.locale) })
  return (
    <div>
      <Big sums={[sum]} measure={measure} say={say} />
      {goal > 0 ? <><Progress done={Number(sum.value)} total={goal} label={label} /><p className="d-foot">{t('dash.reached', { n: formatNumber(Math.round((Number(sum.value) / goal) * 100), say.locale), of: sumText(measure, { currency: sum.currency, value: w.goal! }, say.locale) })}</p></> : <p className="d-foot">{t('dash.noGoal')}</p>}
    </div>
  )
}

// ---- days -------------------------------------------------------------------------------------------------------------

function DaysBody(p: Inner) {
  const { w, e, group, measure, currency, base, say, shared, table } = p
  const { t } = useTranslation()
  const d = group!
  const today = todayIn(say.locale.zone)
  const last = useFacts({ e, dims: [d], measure, currency, base, sort: [`-${d.key}`], limit: 3, on: w.anchor === 'last' })
  const end = w.anchor === 'last' ? last.data?.facts.map((f) => f.at[0]!).filter(Boolean).sort().at(-1)?.slice(0, 10) : today
  const begin = firstWeekday(say.locale.locale)
  const offset = (day: string) => ((new Date(day + 'T00:00:00Z').getUTCDay() + 6) % 7 + 8 - begin) % 7
  const from = end && addDays(end, -364 - offset(addDays(end, -364)))
  const within = useMemo<Base>(() => (from && end ? { ...base, filter: both(base.filter, [daysRule(dimPath(d), d.field, from, end, say.locale.zone)]) } : base), [base, d, from, end, say.locale.zone])
  const asked = useFacts({ e, dims: [d], measure, currency, base: within, on: !!end })
  const error = asked.error ?? last.error
  if (error && !asked.data) return <Wrong error={error} />
  if (w.anchor === 'last' && last.data && !end) return <Nothing />
  if (!asked.data || !from || !end) return <Bones />
  const chart = currencyOf(asked.data.facts, w.currency, say.locale.currency)
  const by = new Map(asked.data.facts.map((f) => [f.at[0]!.slice(0, 10), f]))
  const values = [...by.values()].map((f) => Number(sumIn(f, chart.shown)?.value ?? 0)).filter((v) => v > 0).sort((a, b) => a - b)
  const quart = [0.25, 0.5, 0.75].map((q) => values[Math.floor(values.length * q)] ?? 0)
  const level = (v: number) => (v <= 0 ? 0 : 1 + quart.filter((x) => v > x).length)
  const weeks: { key: string; text: string; level: number }[][] = []
  for (let day = from; day <= end; day = addDays(day, 1)) {
    if (offset(day) === 0 || !weeks.length) weeks.push([])
    const sum = sumIn(by.get(day), chart.shown)
    weeks.at(-1)!.push({ key: day, level: level(Number(sum?.value ?? 0)), text: `${spanLabel(day, 'day', say)}: ${sum ? sumText(measure, sum, say.locale) : '0'}` })
  }
  const months = weeks.flatMap((week, i) => { const first = week.find((x) => x.key.endsWith('-01')); return first || i === 0 ? [{ at: i, label: new Intl.DateTimeFormat(say.locale.locale, { month: 'short', timeZone: 'UTC' }).format(new Date((first ?? week[0]!).key + 'T00:00:00Z')) }] : [] }).filter((m, i, all) => !all[i + 1] || all[i + 1]!.at - m.at > 2)
  const weekdays = Array.from({ length: 7 }, (_, i) => new Intl.DateTimeFormat(say.locale.locale, { weekday: 'short', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, begin + i))))
  const mine = shared.crosses.find((c) => c.widget === w.id)
  const pick = (key: string) => shared.onCross(mine?.key === key ? null : { widget: w.id, entity: e.name, dim: d, raw: key, key, label: `${d.field.label}: ${spanLabel(key, 'day', say)}` })
  if (table) return <div className="d-scroll"><table className="d-table"><thead><tr><th scope="col">{d.field.label}</th><th scope="col" className="end">{measureLabel(measure, t)}</th></tr></thead><tbody>{weeks.flat().filter((x) => x.level > 0).toReversed().slice(0, 120).map((x) => <tr key={x.key}><th scope="row"><button type="button" className="d-cell" aria-pressed={mine?.key === x.key} onClick={() => pick(x.key)}>{spanLabel(x.key, 'day', say)}</button></th><td className="end num">{sumText(measure, sumIn(by.get(x.key), chart.shown)!, say.locale)}</td></tr>)}</tbody></table></div>
  return (
    <>
      <Currencies w={w} chart={chart} onOptions={shared.onOptions} />
      <Days label={titleFor(w, e, { measure, group }, t)} weeks={weeks} months={months} weekdays={weekdays} picked={mine?.key} onPick={(x) => pick(x.group)} short={String}
        foot={<p className="d-foot flex items-center gap-1.5">{t('dash.less')}{[1, 2, 3, 4].map((l) => <svg key={l} width="10" height="10" aria-hidden="true" className={`c-mark c-day${l}`}><rect width="10" height="10" rx="2" /></svg>)}{t('dash.moreOf')}</p>} />
    </>
  )
}

// ---- records ------------------------------------------------------------------------------------------------------------

function ListBody({ w, e, base, say }: Inner) {
  const fields = useMemo(() => (w.columns?.length ? w.columns : e.list).map((n) => fieldOf(e, n)).filter((f): f is Field => !!f && f.name !== e.title_field).slice(0, w.columns?.length ? 8 : w.w >= 9 ? 6 : 3), [w, e])
  const title = e.title_field ? fieldOf(e, e.title_field) : undefined
  const params = { ...(base.filter ? { filter: base.filter } : {}), ...(base.q ? { q: base.q } : {}), sort: wireSort(e, w.sort) ?? '-id', fields: listFields(e, title ? [title, ...fields] : fields), limit: w.limit ?? 8, count: 'none' as const }
  const { data, error } = useQuery({ queryKey: ['rows', e.name, { dash: params }], queryFn: ({ signal }) => records.list(e.name, params, signal), staleTime: 20_000 })
  if (error && !data) return <Wrong error={error} />
  if (!data) return <Bones />
  if (!data.data.length) return <Nothing />
  return (
    <div className="d-scroll">
      <table className="d-table">
        <thead><tr><th scope="col">{title?.label ?? e.label}</th>{fields.map((f) => <th key={f.name} scope="col" className={clsx(typeOf(f).align)}>{f.label}</th>)}</tr></thead>
        <tbody>{data.data.map((r: Row) => (
          <tr key={r.id}>
            <th scope="row"><Link className="ref" to="/o/$entity/r/$id" params={{ entity: e.name, id: r.id }}>{titleOf(e, r)}</Link></th>
            {fields.map((f) => <td key={f.name} className={clsx(typeOf(f).align, 'num')}><span className={clsx('flex min-w-0', typeOf(f).align && 'justify-end')}>{isCountry(f) && typeof r[f.name] === 'string' ? countryName(String(r[f.name]), say.locale.locale) : createElement(typeOf(f).Cell, { field: f, value: r[f.name], record: r, locale: say.locale, currency: currencyOfRow(f, r), plain: true })}</span></td>)}
          </tr>
        ))}</tbody>
      </table>
    </div>
  )
}

function PivotBody({ w, e, group, split, measure, currency, base, say }: Inner) {
  const { t } = useTranslation()
  const layout = useMemo(() => ({ rows: [group!], cols: split ? [split] : [], values: [measure] }), [group, split, measure])
  const { data, error } = useQuery({ queryKey: ['sums', e.name, { dashPivot: [group!.asked, split?.asked], m: measure.id, currency, base }], staleTime: 20_000, queryFn: () => ask(e, layout, currency, base) })
  const pivot = useMemo(() => (data ? build(layout, data, '', say, e.states) : null), [data, layout, say, e])
  if (error && !pivot) return <Wrong error={error} />
  if (!pivot) return <Bones />
  const lines = linesOf(pivot, new Set()).slice(0, w.limit ?? 12)
  const leaves = [...pivot.leaves.slice(0, -1).slice(-7), pivot.leaves.at(-1)!]
  const text = (at: string[], leaf: (typeof leaves)[number]) => cellOf(pivot, at, leaf).map((s) => sumText(measure, s, say.locale, true)).join(', ')
  return (
    <div className="d-scroll">
      <table className="d-table d-pivot">
        <thead><tr><th scope="col">{dimLabel(group!, t)}</th>{leaves.map((l) => <th key={l.at.join()} scope="col" className="end">{l.at.length && split ? valueLabel(split, l.raw[0], say, true) : t('pivot.total')}</th>)}</tr></thead>
        <tbody>{lines.map((l) => <tr key={l.node.at.join()}><th scope="row"><span className="truncate block">{valueLabel(group!, l.node.raw[0], say)}</span></th>{leaves.map((x) => <td key={x.at.join()} className="end num">{text(l.node.at, x)}</td>)}</tr>)}</tbody>
        <tfoot><tr><th scope="row">{t('pivot.total')}</th>{leaves.map((x) => <td key={x.at.join()} className="end num">{text([], x)}</td>)}</tr></tfoot>
      </table>
    </div>
  )
}

// ---- notes --------------------------------------------------------------------------------------------------------------

function Note({ text }: { text: string }) {
  const { t } = useTranslation()
  if (!text.trim()) return <p className="text-faint m-0 flex gap-1.5 items-center"><ListTree size={14} aria-hidden="true" />{t('dash.noteEmpty')}</p>
  return <Markdown text={text} className="d-note" />
}
