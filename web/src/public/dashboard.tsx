import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem, send } from '@/api/http'
import { typeOf } from '@/fields/registry'
import { formatNumber, type Locale } from '@/lib/format'
import type { Entity, Field } from '@/meta/types'
import { Empty, Progress, Skeleton } from '@/ui/basics'
import { Markdown } from '@/ui/markdown'
import '@/views/dashboard/dashboard.css'
import { Bars, Funnel, HUES, Legend, Lines, Pie, SideBars } from '@/views/dashboard/charts'
import { chartOf, currencyOf, sumIn } from '@/views/dashboard/data'
import { todayIn } from '@/views/calendar/when'
import { readWidgets, type Widget } from '@/views/dashboard/model'
import { dimLabel, keyOf, measureLabel, spanLabel, spanNext, spanStart, sumText, type Bucket, type Dim, type Fact, type Measure, type Say } from '@/views/pivot/cube'
import { Gone, useAgain, useGuestLocale, Value, type BodyProps, type Values } from './shared'

interface Told {
  id: string; closed?: boolean; entity?: { label: string; plural: string }; fn?: Measure['fn']; measure?: Field | null; dims?: { field: Field; bucket: Bucket | null }[]
  lines?: { at: unknown[]; currency: string | null; value: string | number | null }[]; fields?: Field[]; rows?: Values[]
}

/** What the server says of the widgets, as what draws them takes it. */
export function factsOf(told: Told): Fact[] {
  const facts = new Map<string, Fact>()
  for (const line of told.lines ?? []) {
    if (line.value === null) continue
    const at = line.at.map(keyOf)
    const fact = facts.get(at.join('\u0001')) ?? { at, raw: line.at, sums: [[]] }
    fact.sums[0]!.push({ currency: line.currency, value: String(line.value) })
    facts.set(at.join('\u0001'), fact)
  }
  return [...facts.values()]
}
export const dimsOf = (told: Told): Dim[] => (told.dims ?? []).map(({ field, bucket }, i) => ({ id: `${i}`, field, via: undefined, bucket: bucket ?? undefined, asked: field.name, key: field.name }))

/** A dashboard to be looked at: nothing in it asks the server anything more. */
export default function Dashboard({ token, opened, again, otherwise }: BodyProps & { otherwise: ReactNode }) {
  const { t } = useTranslation()
  const locale = useGuestLocale(opened)
  const say = useMemo<Say>(() => ({ t, locale, people: [] }), [t, locale])
  const asked = useQuery({
    queryKey: ['shared', token, 'widgets', opened.key, locale.locale], retry: false, gcTime: 0,
    queryFn: ({ signal }) => send<{ data: Told[] }>('GET', `/public/${encodeURIComponent(token)}/widgets`, { headers: { 'X-Share-Key': opened.key }, signal }).then((a) => a.data.data),
  })
  const over = useAgain(asked.error, again)
  const widgets = useMemo(() => readWidgets(JSON.stringify(asked.data ?? [])) ?? [], [asked.data])
  // Nobody said yet what stands on it.
  if (asked.error instanceof Problem && asked.error.status === 404) return otherwise
  if (asked.error && !over) return <Gone error={asked.error} />
  if (!asked.data) return <Skeleton rows={10} />
  if (!widgets.length) return <Empty title={t('dash.none')} />
  return (
    <div className="shared-dash dash">
      {[...widgets].sort((a, b) => a.y - b.y || a.x - b.x).map((w) => {
        const told = asked.data.find((x) => x.id === w.id) ?? { id: w.id }
        return <One key={w.id} w={w} told={told} say={say} locale={locale} />
      })}
    </div>
  )
}

function One({ w, told, say, locale }: { w: Widget; told: Told; say: Say; locale: Locale }) {
  const { t } = useTranslation()
  const dims = useMemo(() => dimsOf(told), [told])
  const facts = useMemo(() => factsOf(told), [told])
  const measure: Measure = { id: 'm', fn: told.fn ?? 'count', field: told.measure ?? undefined, path: '' }
  const value = measure.field ? measureLabel(measure, t) : told.entity?.plural ?? ''
  const title = w.title ?? (told.closed ? t('dash.closed') : w.kind === 'note' ? '' : w.kind === 'list' ? told.entity?.plural ?? '' : dims[0] && w.kind !== 'number' ? t('dash.titleBy', { value, group: dimLabel(dims[0], t) }) : value)
  const chart = !['number', 'progress', 'note'].includes(w.kind)
  return (
    <section aria-label={title || t('dash.note')} className={chart ? 'chart' : undefined} style={{ gridColumn: `${w.x + 1} / span ${w.w}`, gridRow: `${w.y + 1} / span ${w.h}` }}>
      {title && <h2>{title}</h2>}
      {told.closed ? <p className="m-0 text-muted">{t('share.closed')}</p> : w.kind === 'note' ? <Markdown text={w.text ?? ''} className="d-note" />
        : w.kind === 'list' ? <List told={told} locale={locale} /> : w.kind === 'number' || w.kind === 'progress' ? <Number_ w={w} facts={facts} dims={dims} measure={measure} say={say} />
          : dims.length === 0 ? <p className="m-0 text-muted">{t('dash.needsGroup')}</p> : <Chart w={w} title={title} facts={facts} dims={dims} measure={measure} say={say} />}
    </section>
  )
}

interface Inner { w: Widget; facts: Fact[]; dims: Dim[]; measure: Measure; say: Say }
/** The whole, or the last span of time and how it went against the one before; towards a goal. */
function Number_({ w, facts, dims, measure, say }: Inner) {
  const { t } = useTranslation()
  const bucket = dims[0]?.bucket
  const now = bucket && (w.anchor === 'last' ? facts.map((f) => f.at[0]!).filter(Boolean).sort().at(-1)?.slice(0, 10) : spanStart(todayIn(say.locale.zone), bucket))
  const of = (day: string | undefined) => (bucket ? facts.find((f) => f.at[0]!.slice(0, 10) === day) : facts[0])
  const { shown } = currencyOf(bucket ? [of(now), ...facts].filter((f) => !!f) : facts, w.currency, say.locale.currency)
  const sum = sumIn(of(now), shown) ?? { currency: shown, value: '0' }
  const text = sumText(measure, sum, say.locale)
  const was = bucket && now ? Number(sumIn(of(spanNext(now, bucket, -1)), shown)?.value ?? 0) : 0
  const change = was ? ((Number(sum.value) - was) / Math.abs(was)) * 100 : null
  const goal = Number(w.goal ?? 0)
  return (
    <>
      <div className="big truncate" title={text}>{text.length > 13 ? sumText(measure, sum, say.locale, true) : text}</div>
      {bucket && now && <p className="m-0 text-muted text-xs truncate">{change === null ? spanLabel(now, bucket, say) : t(change > 0 ? 'dash.up' : 'dash.down', { n: formatNumber(Math.abs(change).toFixed(1), say.locale), now: spanLabel(now, bucket, say), was: spanLabel(spanNext(now, bucket, -1), bucket, say) })}</p>}
      {w.kind === 'progress' && goal > 0 && <><Progress done={Number(sum.value)} total={goal} label={t('dash.ofGoal', { value: text, goal: sumText(measure, { currency: sum.currency, value: w.goal! }, say.locale) })} /><p className="m-0 text-muted text-xs">{t('dash.reached', { n: formatNumber(Math.round((Number(sum.value) / goal) * 100), say.locale), of: sumText(measure, { currency: sum.currency, value: w.goal! }, say.locale) })}</p></>}
    </>
  )
}

function Chart({ w, title, facts, dims, measure, say }: Inner & { title: string }) {
  const { t } = useTranslation()
  const chart = useMemo(() => chartOf({ states: undefined } as unknown as Entity, facts, dims, measure, w, say), [facts, dims, measure.fn, measure.field, w, say])
  const first = chart.series[0]?.marks.filter((m) => !!m) ?? []
  if (!chart.labels.length) return <p className="text-muted m-0 self-center text-center">{t('dash.nothing')}</p>
  const split = dims[1]
  const short = (v: number) => sumText(measure, { currency: chart.shown, value: String(Math.round(v * 1e6) / 1e6) }, say.locale, Number.isInteger(v))
  const common = { label: title, picked: undefined, onPick: () => {}, short }
  const hued = first.map((m, i) => ({ ...m, hue: m.hue ?? HUES[i % HUES.length] }))
  const total = first.reduce((n, m) => n + m.value, 0)
  const legend = split ? chart.series.map((s) => ({ key: s.key, label: s.label, hue: s.hue })) : w.kind === 'pie' ? hued.map((m) => ({ key: m.key, label: m.label, hue: m.hue, text: total ? `${Math.round((m.value / total) * 100)}%` : '' })) : []
  if (['top', 'pivot', 'days'].includes(w.kind)) return (
    <div className="d-scroll" role="region" aria-label={title} tabIndex={0}>
      <table className="d-table">
        <thead><tr><th scope="col">{dimLabel(dims[0]!, t)}</th>{chart.series.map((s) => <th key={s.key} scope="col" className="end">{s.label || measureLabel(measure, t)}</th>)}</tr></thead>
        <tbody>{chart.labels.map((l, i) => <tr key={l.key}><th scope="row">{l.label}</th>{chart.series.map((s) => <td key={s.key} className="end num">{s.marks[i]?.text ?? ''}</td>)}</tr>)}</tbody>
      </table>
    </div>
  )
  return (
    <>
      <div className="flex-1 min-h-0">
        {w.kind === 'pie' ? <Pie {...common} marks={hued} middle={short(total)} /> : w.kind === 'hbar' ? <SideBars {...common} marks={first} /> : w.kind === 'funnel' ? <Funnel {...common} marks={hued} />
          : w.kind === 'line' || w.kind === 'area' ? <Lines {...common} labels={chart.labels} series={chart.series} area={w.kind === 'area'} />
            : <Bars {...common} labels={chart.labels} series={chart.series.map((s) => (split ? s : { ...s, marks: s.marks.map((m) => m && { ...m, hue: undefined }) }))} stacked={w.kind === 'stacked'} />}
      </div>
      {legend.length > 0 && <Legend items={legend} />}
    </>
  )
}

function List({ told, locale }: { told: Told; locale: Locale }) {
  const { t } = useTranslation()
  const fields = told.fields ?? []
  if (!told.rows?.length) return <p className="text-muted m-0">{t('dash.nothing')}</p>
  return (
    <div className="d-scroll" role="region" aria-label={told.entity?.plural} tabIndex={0}>
      <table className="d-table">
        <thead><tr>{fields.map((f) => <th key={f.name} scope="col" className={typeOf(f).align}>{f.label}</th>)}</tr></thead>
        <tbody>{told.rows.map((row, i) => <tr key={i}>{fields.map((f) => <td key={f.name} className={typeOf(f).align}><Value field={f} row={row} locale={locale} /></td>)}</tr>)}</tbody>
      </table>
    </div>
  )
}
