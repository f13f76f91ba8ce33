import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { expandable } from '@/meta/hooks'
import type { Condition, Entity, Rule } from '@/meta/types'
import { hueName } from '@/ui/basics'
import { both, comparer, gather, keyOf, MOST, ruleOf, spanNext, sumText, valueLabel, type Base, type Dim, type Fact, type Measure, type Say, type Sum } from '../pivot/cube'
import { HUES, type Mark, type Serie } from './charts'
import type { Widget } from './model'

/** What was picked in one widget and narrows the others. */
export interface Cross { widget: string; entity: string; dim: Dim; raw: unknown; key: string; label: string }

/** The rule that what was picked means for these records: their own field, or one that names the same. */
export function crossRule(c: Cross, e: Entity, zone: string): Rule | undefined {
  if (c.entity === e.name) return ruleOf(c.dim, c.raw, zone)
  const { field, via } = c.dim
  if (via || field.type !== 'relation' || keyOf(c.raw) === '') return undefined
  const same = e.fields.find((f) => f.type === 'relation' && f.filterable && f.ref?.entity === field.ref?.entity && (f.name === field.name || expandable(f)))
  return same && { field: same.name, operator: 'in', value: [keyOf(c.raw)] }
}
export function baseOf(w: Widget, e: Entity, page: string, outer: Base, crosses: Cross[], zone: string): Base {
  const rules: (Rule | Condition)[] = []
  if (e.name === page && outer.filter?.rules.length) rules.push(outer.filter)
  for (const c of crosses) if (c.widget !== w.id) { const r = crossRule(c, e, zone); if (r) rules.push(r) }
  return { filter: both(w.filter, rules), ...(e.name === page && outer.q ? { q: outer.q } : {}) }
}

export interface Asked { e: Entity; dims: Dim[]; measure: Measure; currency: string | undefined; base: Base; sort?: string[]; limit?: number; on?: boolean }
export function useFacts({ e, dims, measure, currency, base, sort, limit, on = true }: Asked) {
  return useQuery({
    queryKey: ['sums', e.name, { dash: dims.map((d) => d.asked), m: measure.id, currency, base, sort, limit }], staleTime: 20_000, enabled: on, placeholderData: keepPreviousData,
    queryFn: () => gather(e, { dims, measures: [measure], currency, base, ...(sort ? { sort } : {}), ...(limit ? { limit } : {}) }),
  })
}

/** One drawing shows one currency: the one that was chosen, else the company's, else what most groups have. The others are named. */
export function currencyOf(facts: Fact[], wanted: string | undefined, own: string): { shown: string | null; others: string[] } {
  const known = new Map<string | null, number>()
  for (const f of facts) for (const s of f.sums[0] ?? []) known.set(s.currency, (known.get(s.currency) ?? 0) + 1)
  const all = [...known.keys()]
  const shown = all.find((c) => c === wanted && c) ?? all.find((c) => c === own) ?? [...known].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
  return { shown, others: all.filter((c): c is string => !!c && c !== shown) }
}
export const sumIn = (f: Fact | undefined, currency: string | null): Sum | undefined => f?.sums[0]?.find((s) => s.currency === currency)

/** Spans of time run on: one without records is there too, with nothing in it. */
export function filled(keys: string[], d: Dim): string[] {
  const known = keys.filter(Boolean).sort()
  if (!d.bucket || known.length < 2) return keys
  const out: string[] = []
  for (let k = known[0]!, n = 0; k <= known.at(-1)! && n < 500; k = spanNext(k, d.bucket), n++) out.push(k)
  return known.every((k) => out.includes(k)) ? [...out, ...keys.filter((k) => k === '')] : keys
}

export interface Chart { labels: { key: string; label: string; raw: unknown }[]; series: Serie[]; others: string[]; shown: string | null; left: number; dims: Dim[] }
const naturally = (d: Dim) => !!d.bucket || !!d.field.options?.length || d.field.type === 'boolean'

export function chartOf(e: Entity, facts: Fact[], dims: Dim[], m: Measure, w: Widget, say: Say): Chart {
  const [group, split] = dims
  const { shown, others } = currencyOf(facts, w.currency, say.locale.currency)
  const at = new Map<string, Fact>()
  const raws = new Map<string, unknown>()
  const weight = new Map<string, number>()
  const splits = new Map<string, { raw: unknown; weight: number }>()
  for (const f of facts) {
    const [g = '', s = ''] = f.at
    const sum = sumIn(f, shown)
    if (!sum) continue
    at.set(`${g}\u0001${s}`, f)
    raws.set(g, f.raw[0])
    weight.set(g, (weight.get(g) ?? 0) + Number(sum.value))
    const known = splits.get(s)
    splits.set(s, { raw: f.raw[1], weight: (known?.weight ?? 0) + Math.abs(Number(sum.value)) })
  }
  const by = comparer(group!, say, e.states)
  let keys = [...raws.keys()].sort((a, b) => (naturally(group!) ? by(raws.get(a), raws.get(b)) : weight.get(b)! - weight.get(a)!))
  if (group!.bucket) keys = filled(keys.filter(Boolean), group!)
  const most = w.limit ?? (group!.bucket ? 24 : 12)
  const left = Math.max(0, keys.length - most)
  keys = group!.bucket ? keys.slice(-most) : keys.slice(0, most)
  const zero = m.fn === 'count' || m.fn === 'sum'
  const mark = (k: string, s: string, hue: string | undefined): Mark | null => {
    const sum = sumIn(at.get(`${k}\u0001${s}`), shown) ?? (zero && group!.bucket ? { currency: shown, value: '0' } : undefined)
    return sum ? { key: k, label: valueLabel(group!, raws.get(k) ?? (group!.bucket ? k : null), say), value: Number(sum.value), text: sumText(m, sum, say.locale), hue } : null
  }
  const option = (d: Dim, key: string) => { const o = d.field.options?.find((x) => x.id === key) ?? e.states?.options.find((x) => x.id === key && e.states?.field === d.field.name); return o && hueName(o) }
  const labels = keys.map((k) => ({ key: k, raw: raws.has(k) ? raws.get(k) : k, label: valueLabel(group!, raws.has(k) ? raws.get(k) : k, say, true) }))
  if (!split) return { labels, shown, others, left, dims, series: [{ key: '', label: '', marks: keys.map((k) => mark(k, '', option(group!, k))) }] }
  const bySplit = comparer(split, say, e.states)
  const kinds = [...splits].sort((a, b) => (naturally(split) ? bySplit(a[1].raw, b[1].raw) : b[1].weight - a[1].weight)).slice(0, 8)
  return { labels, shown, others, left, dims, series: kinds.map(([s, { raw }], i) => { const hue = option(split, s) ?? HUES[i % HUES.length]; return { key: s, label: valueLabel(split, raw, say), hue, marks: keys.map((k) => mark(k, s, hue)) } }) }
}

/** The facts of a drawing: all of its spans of time, else the strongest groups. */
export function useChart(a: { e: Entity; w: Widget; dims: Dim[]; measure: Measure; currency: string | undefined; base: Base; say: Say }) {
  const { e, w, dims, measure, say } = a
  const strongest = dims.length === 1 && !naturally(dims[0]!)
  const asked = useFacts({ e, dims, measure, currency: a.currency, base: a.base, limit: strongest ? 500 : MOST, ...(strongest ? { sort: ['-m0'] } : {}), on: dims.length > 0 })
  const chart = useMemo(() => (asked.data && dims.length ? chartOf(e, asked.data.facts, dims, measure, w, say) : null), [asked.data, dims, measure, w, say])
  return { ...asked, chart }
}

