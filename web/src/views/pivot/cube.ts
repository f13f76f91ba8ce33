import type { TFunction } from 'i18next'
import { Problem } from '@/api/http'
import * as records from '@/api/records'
import type { Person } from '@/api/people'
import { formatDate, formatMoney, formatNumber, formatPercent, localToInstant, type Locale } from '@/lib/format'
import { expandable, expandKey, fieldOf, visibleFields } from '@/meta/hooks'
import type { Condition, Entity, Field, Rule } from '@/meta/types'
import { addDays, addMonths } from '../days'

// What sums records up, for whoever shows sums: fields to group by, measures, the questions, the words for the answers.

export const BUCKETS = ['year', 'quarter', 'month', 'week', 'day'] as const
export type Bucket = (typeof BUCKETS)[number]
export const FUNCTIONS = ['sum', 'avg', 'min', 'max'] as const
export type Fn = 'count' | (typeof FUNCTIONS)[number]

/** What records are grouped by: a field of theirs, or of what they name. */
export interface Dim { id: string; field: Field; via: Field | undefined; bucket: Bucket | undefined; asked: string; key: string }
export interface Measure { id: string; fn: Fn; field: Field | undefined; path: string }
export interface Sum { currency: string | null; value: string }
export interface Fact { at: string[]; raw: unknown[]; sums: Sum[][] }
export interface Base { filter?: Condition | null | undefined; q?: string | undefined }
/** The server gives no more groups than this. */
export const MOST = 10_000

export type Targets = Record<string, Entity>
const isDate = (f: Field) => f.type === 'date' || f.type === 'datetime'
const isCode = (f: Field) => f.type === 'text' && !f.unique
export const isCountry = (f: Field): boolean => f.type === 'country' || (f.type === 'text' && /(^|_)country(_code)?$/.test(f.name))
export const isCurrency = (f: Field): boolean => /^currency(_code)?$/.test(f.name)

/** Fields worth grouping by: what repeats. A text that is a title or unique would give a group for each record. */
export function groupable(e: Entity): Field[] {
  return visibleFields(e).filter((f) => f.filterable !== false && f.sortable && (isDate(f) || ['relation', 'user', 'select', 'boolean'].includes(f.type) || (isCode(f) && f.name !== e.title_field)))
}
export const summable = (e: Entity): Field[] => visibleFields(e).filter((f) => ['number', 'integer', 'money', 'percent', 'quantity', 'rating', 'duration'].includes(f.type) && f.name !== 'digits')

export function readDim(e: Entity, targets: Targets, id: string): Dim | undefined {
  const [path = '', given] = id.split(':')
  // Fields of one's own have a dot in their names.
  const dot = fieldOf(e, path) ? -1 : path.indexOf('.')
  const first = dot < 0 ? path : path.slice(0, dot)
  const second = dot < 0 ? '' : path.slice(dot + 1)
  const own = fieldOf(e, first)
  if (!own) return undefined
  const target = second ? targets[first] : undefined
  const field = second ? target && fieldOf(target, second) : own
  if (!field || (second && !expandable(own)) || !groupable(target ?? e).includes(field)) return undefined
  const bucket = isDate(field) ? BUCKETS.find((b) => b === given) ?? 'month' : undefined
  const named = !second && field.type === 'relation' && expandable(field)
  const key = second ? `${expandKey(own)}.${field.name}` : named ? expandKey(field) : field.name
  return { id: bucket ? `${path}:${bucket}` : path, field, via: second ? own : undefined, bucket, asked: bucket ? `${key}:${bucket}` : key, key }
}
/** Each field once: two steps of one date would answer under one name. */
export function readDims(e: Entity, targets: Targets, text: string | undefined, taken: Dim[] = []): Dim[] {
  const out: Dim[] = []
  for (const id of (text ?? '').split(',').filter(Boolean)) {
    const d = readDim(e, targets, id)
    if (d && ![...taken, ...out].some((x) => x.key === d.key)) out.push(d)
  }
  return out
}
export function readMeasure(e: Entity, id: string): Measure | undefined {
  const [fn, path = ''] = id.split(':')
  if (fn === 'count') return { id: 'count', fn: 'count', field: undefined, path: '' }
  const field = summable(e).find((f) => f.name === path)
  const known = FUNCTIONS.find((x) => x === fn)
  return field && known ? { id: `${known}:${path}`, fn: known, field, path } : undefined
}
export function readMeasures(e: Entity, text: string | undefined): Measure[] {
  const all = (text ?? '').split(',').map((id) => readMeasure(e, id)).filter((m) => !!m)
  return all.filter((m, i) => all.findIndex((x) => x.id === m.id) === i).slice(0, 6)
}

/** Where the currency of its money stands: on the record, else on the document that it is a part of. */
export function currencyPath(e: Entity, targets: Targets, partOf?: string | null): string | undefined {
  const own = ['currency', 'currency_code'].find((n) => fieldOf(e, n))
  if (own) return own
  const up = e.fields.find((f) => f.type === 'relation' && f.ref?.entity === partOf && expandable(f))
  const parent = up && targets[up.name]
  const there = parent && ['currency', 'currency_code'].find((n) => fieldOf(parent, n))
  return there && up ? `${expandKey(up)}.${there}` : undefined
}

export const keyOf = (v: unknown): string => (v === null || v === undefined ? '' : typeof v === 'object' ? String((v as { id?: unknown }).id ?? '') : String(v))

interface Asked { dims: Dim[]; measures: Measure[]; currency: string | undefined; base: Base; sort?: string[]; limit?: number; signal?: AbortSignal }
type Line = Record<string, unknown>
const metric = (m: Measure, i: number) => (m.fn === 'count' ? { function: 'count', as: `m${i}` } : { function: m.fn, field: m.path, as: `m${i}` })
const body = (a: Asked, groups: string[], metrics: unknown[]) => ({
  group_by: groups, metrics, limit: a.limit ?? MOST, ...(a.sort ? { sort: a.sort } : {}),
  ...(a.base.filter?.rules.length ? { filter: a.base.filter } : {}), ...(a.base.q ? { q: a.base.q } : {}),
})
const paid = (m: Measure) => m.field?.type === 'money'
const whole = (v: unknown): string | undefined => (v === null || v === undefined ? undefined : String(v))

/** Puts lines of one question together: money of different currencies stays apart, counts come to one. */
function collect(lines: Line[], dims: Dim[], measures: Measure[], take: boolean[], currency: string | undefined, into: Map<string, Fact>): void {
  for (const line of lines) {
    const raw = dims.map((d) => line[d.key])
    const at = raw.map(keyOf)
    const id = at.join('\u0001')
    let fact = into.get(id)
    if (!fact) into.set(id, (fact = { at, raw, sums: measures.map(() => []) }))
    measures.forEach((m, i) => {
      if (!take[i]) return
      const value = whole(line[`m${i}`])
      if (value === undefined) return
      const sums = fact.sums[i]!
      if (currency && paid(m)) sums.push({ currency: (line[currency] as string | null) ?? null, value })
      else if (m.fn === 'count' && sums[0]) sums[0] = { currency: null, value: String(Number(sums[0].value) + Number(value)) }
      else sums.push({ currency: null, value })
    })
  }
}

/** A relation of what a record names is answered by its id alone: what it is called is asked for. */
async function name(facts: Fact[], dims: Dim[]): Promise<void> {
  await Promise.all(dims.map(async (d, i) => {
    const { ref } = d.field
    if (!d.via || d.field.type !== 'relation' || !ref?.title_field || !expandable(d.field)) return
    const ids = [...new Set(facts.map((f) => f.at[i]!).filter(Boolean))]
    const titles = new Map<string, string>()
    for (let from = 0; from < ids.length; from += 500) {
      const page = await records.list(ref.entity, { filter: { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: ids.slice(from, from + 500) }] }, fields: `id,${ref.title_field}`, limit: 500, count: 'none' })
      for (const r of page.data) titles.set(r.id, String(r[ref.title_field] ?? ''))
    }
    for (const f of facts) if (f.at[i]) f.raw[i] = { id: f.at[i], title: titles.get(f.at[i]!) ?? '' }
  }))
}

/** Facts for one set of groups. The server adds up; nothing is summed here but counts of records. */
export async function gather(entity: Entity, a: Asked): Promise<{ facts: Fact[]; cut: boolean }> {
  const { dims, measures, currency } = a
  const apart = !!currency && measures.some(paid)
  const inMoney = measures.map((m) => apart && (paid(m) || m.fn === 'count'))
  const rest = measures.map((_, i) => !inMoney[i])
  const groups = dims.map((d) => d.asked)
  const ask = (names: string[], take: boolean[]) => records.aggregate(entity.name, body(a, names, measures.map(metric).filter((_, i) => take[i]))).then((r) => r.data)
  const into = new Map<string, Fact>()
  const twice = apart && !dims.some((d) => d.key === currency)
  const [money, plain] = await Promise.all([apart ? ask(twice ? [...groups, currency!] : groups, inMoney) : [], rest.some(Boolean) || !apart ? ask(groups, rest) : []])
  collect(money, dims, measures, inMoney, currency, into)
  collect(plain, dims, measures, rest, undefined, into)
  await name([...into.values()], dims)
  const most = a.limit ?? MOST
  return { facts: [...into.values()], cut: groups.length > 0 && (money.length >= most || plain.length >= most) }
}

/** The server makes the totals of so many groups. */
const TOTALLED = 4
/** A page may be newer than the server that answers it, while that is being exchanged. */
let knowsTotals = true
/** Facts for several sets of groups at once: cells, sub-totals and the whole, in one question where the server takes it. */
export async function gatherAll(entity: Entity, sets: number[][], a: Asked): Promise<{ facts: Fact[][]; cut: boolean }> {
  const { dims, measures, currency } = a
  const apart = !!currency && measures.some(paid)
  const own = dims.find((d) => d.key === currency)
  const groups = [...dims.map((d) => d.asked), ...(apart && !own ? [currency!] : [])]
  const lines = sets.length > 1 && groups.length <= TOTALLED && knowsTotals
    ? await records.aggregate(entity.name, { ...body(a, groups, measures.map(metric)), totals: true }).then((r) => r.data, (e: unknown) => {
        if (!(e instanceof Problem) || e.errors[0]?.field !== 'totals') throw e
        knowsTotals = false
        return null
      }) : null
  if (lines) {
    const by = new Map<string, Line[]>()
    for (const l of lines) { const k = [...(l._grouped as string[])].sort().join(); const known = by.get(k); if (known) known.push(l); else by.set(k, [l]) }
    const money = measures.map((m) => apart && paid(m))
    const rest = money.map((m) => !m)
    const facts = sets.map((set) => {
      const names = set.map((i) => dims[i]!.asked)
      const of = (all: string[]) => by.get([...new Set(all)].sort().join()) ?? []
      const into = new Map<string, Fact>()
      collect(of(names), set.map((i) => dims[i]!), measures, rest, undefined, into)
      if (apart) collect(of([...names, own?.asked ?? currency!]), set.map((i) => dims[i]!), measures, money, currency, into)
      return [...into.values()]
    })
    await Promise.all(sets.map((set, i) => name(facts[i]!, set.map((n) => dims[n]!))))
    return { facts, cut: lines.length >= MOST }
  }
  const all = await Promise.all(sets.map((set) => gather(entity, { ...a, dims: set.map((i) => dims[i]!) })))
  return { facts: all.map((x) => x.facts), cut: all.some((x) => x.cut) }
}

// ---- words ----------------------------------------------------------------------------------------------------------

export interface Say { t: TFunction; locale: Locale; people: Person[] }
const dates = new Map<string, Intl.DateTimeFormat>()
const dateForm = (locale: string, o: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => {
  const k = locale + JSON.stringify(o)
  let f = dates.get(k)
  if (!f) dates.set(k, (f = new Intl.DateTimeFormat(locale, { ...o, timeZone: 'UTC' })))
  return f
}
/** The begin of a span of time, as people call the span. */
export function spanLabel(day: string, bucket: Bucket, { t, locale }: Say, short = false): string {
  const d = new Date(day.slice(0, 10) + 'T00:00:00Z')
  if (Number.isNaN(+d)) return day
  if (bucket === 'year') return day.slice(0, 4)
  if (bucket === 'quarter') return t('pivot.quarter', { n: Math.floor(d.getUTCMonth() / 3) + 1, year: day.slice(0, 4) })
  if (bucket === 'month') return dateForm(locale.locale, { month: 'short', year: 'numeric' }).format(d)
  if (short) return dateForm(locale.locale, { day: 'numeric', month: 'short' }).format(d)
  return bucket === 'week' ? t('pivot.week', { day: formatDate(day, locale) }) : formatDate(day, locale)
}
const places = new Map<string, Intl.DisplayNames>()
export function countryName(code: string, locale: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code
  let names = places.get(locale)
  if (!names) places.set(locale, (names = new Intl.DisplayNames(locale, { type: 'region' })))
  try { return names.of(code) ?? code } catch { return code }
}
export function valueLabel(d: Dim, v: unknown, say: Say, short = false): string {
  if (v === null || v === undefined || v === '') return say.t('pivot.none')
  if (typeof v === 'object') { const o = v as { id?: unknown; title?: unknown }; return String(o.title ?? '') || String(o.id ?? '').slice(0, 8) + '…' }
  if (d.bucket) return spanLabel(String(v), d.bucket, say, short)
  if (typeof v === 'boolean') return say.t(v ? 'yes' : 'no')
  if (d.field.type === 'user') return say.people.find((p) => p.id === v || p.user === v)?.name ?? String(v).slice(0, 8) + '…'
  if (d.field.options) return d.field.options.find((o) => o.id === v)?.label ?? String(v)
  if (isCountry(d.field)) return countryName(String(v), say.locale.locale)
  return d.field.type === 'relation' ? String(v).slice(0, 8) + '…' : String(v)
}
export const fieldLabel = (d: { field: Field; via?: Field | undefined }): string => (d.via ? `${d.via.label} · ${d.field.label}` : d.field.label)
export const dimLabel = (d: Dim, t: TFunction): string => (d.bucket ? t('pivot.by', { name: fieldLabel(d), step: t(`pivot.step_${d.bucket}`) }) : fieldLabel(d))
export const measureLabel = (m: Measure, t: TFunction): string => (m.field ? t(`pivot.fn_${m.fn}`, { name: m.field.label }) : t('pivot.fn_count'))

export const rounded = (v: string, digits = 2): string => (/^-?\d+\.\d+$/.test(v) && v.split('.')[1]!.length > digits ? Number(v).toFixed(digits) : v)
export function sumText(m: Measure, s: Sum, locale: Locale, compact = false): string {
  const value = m.fn === 'avg' ? rounded(s.value) : s.value
  if (paid(m)) return formatMoney(value, locale, s.currency, compact)
  if (m.field?.type === 'percent') return formatPercent(rounded(value, 1), locale)
  if (m.field && !/^-?\d/.test(value)) return value
  return formatNumber(value, locale, compact ? { compact: true } : { max: m.fn === 'avg' ? 2 : 6 })
}
const order = (f: Field): Map<string, number> => new Map((f.options ?? []).map((o, i) => [o.id, i]))
/** The order in which values of a field are usually said: time runs on, work goes its way, names by the alphabet; nothing comes last. */
export function comparer(d: Dim, say: Say, states?: Entity['states']): (a: unknown, b: unknown) => number {
  const places_ = states?.field === d.field.name && !d.via ? new Map(states.options.map((o, i) => [o.id, i])) : order(d.field)
  const c = new Intl.Collator(say.locale.locale, { numeric: true })
  return (a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)]
    if (x === '' || y === '') return Number(x === '') - Number(y === '')
    if (d.bucket) return x < y ? -1 : x > y ? 1 : 0
    if (places_.size) return (places_.get(x) ?? 999) - (places_.get(y) ?? 999)
    return c.compare(valueLabel(d, a, say), valueLabel(d, b, say))
  }
}

// ---- ways back to the records -----------------------------------------------------------------------------------------

const MONTHS: Record<Bucket, number> = { year: 12, quarter: 3, month: 1, week: 0, day: 0 }
/** The first day of the span that this day lies in; weeks begin on Monday, as the server counts them. */
export function spanStart(day: string, bucket: Bucket): string {
  if (bucket === 'year') return day.slice(0, 4) + '-01-01'
  if (bucket === 'quarter') return day.slice(0, 5) + String(Math.floor((Number(day.slice(5, 7)) - 1) / 3) * 3 + 1).padStart(2, '0') + '-01'
  if (bucket === 'month') return day.slice(0, 8) + '01'
  if (bucket === 'week') return addDays(day, -((new Date(day + 'T00:00:00Z').getUTCDay() + 6) % 7))
  return day
}
export const spanNext = (day: string, bucket: Bucket, n = 1): string => (MONTHS[bucket] ? addMonths(day, MONTHS[bucket] * n) : addDays(day, (bucket === 'week' ? 7 : 1) * n))
export const dimPath = (d: Dim): string => (d.via ? d.key : d.field.name)
/** From this day to that one, both with it. */
export function daysRule(path: string, f: Field, from: string, to: string, zone: string): Rule {
  if (f.type !== 'datetime') return { field: path, operator: 'between', value: [from, to] }
  const next = localToInstant(`${addDays(to, 1)}T00:00`, zone)
  return { field: path, operator: 'between', value: [localToInstant(`${from}T00:00`, zone), next && new Date(+new Date(next) - 1).toISOString()] }
}
/** The records behind a value. */
export function ruleOf(d: Dim, v: unknown, zone: string): Rule {
  const field = dimPath(d)
  if (v === null || v === undefined || v === '') return { field, operator: 'is_empty' }
  if (d.bucket) return daysRule(field, d.field, String(v).slice(0, 10), addDays(spanNext(String(v).slice(0, 10), d.bucket), -1), zone)
  if (typeof v === 'boolean') return { field, operator: v ? 'is_true' : 'is_false' }
  return d.field.type === 'text' ? { field, operator: 'equals', value: v } : { field, operator: 'in', value: [keyOf(v)] }
}
export const both = (filter: Condition | null | undefined, rules: (Rule | Condition)[]): Condition | undefined => {
  const all = [...(filter?.rules.length ? (filter.operator === 'OR' ? [filter] : filter.rules) : []), ...rules]
  return all.length ? { operator: 'AND', rules: all } : undefined
}
