import * as records from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatDate, formatInstant, formatMoney, formatNumber, formatPercent, type Locale } from '@/lib/format'
import { fieldOf } from '@/meta/hooks'
import type { Condition, Entity, Field } from '@/meta/types'

// What stands under a column, and in the head of a group: always counted by the server, over all that match.

export type Fn = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'empty' | 'unique'
export interface Wanted { field: Field; fn: Fn }
/** One value for each currency; of what is no money, one. */
export interface Sums { count: number; values: Record<string, { value: unknown; currency: string | null }[]> }

const NUMBERS = new Set(['number', 'integer', 'money', 'percent', 'quantity', 'rating', 'duration'])
export function functionsOf(f: Field): Fn[] {
  if (NUMBERS.has(f.type)) return ['sum', 'avg', 'min', 'max', 'count', 'empty', 'unique']
  if (f.type === 'date' || f.type === 'datetime') return ['min', 'max', 'count', 'empty', 'unique']
  if (f.type === 'button') return []
  return ['json', 'file', 'location', 'signature'].includes(f.type) ? ['count', 'empty'] : ['count', 'empty', 'unique']
}
/** As was chosen; else sums of documents: a sum of list prices or of credit limits would only look like one. */
export function totalOf(entity: Entity, columns: Field[], chosen: Record<string, string> | undefined, f: Field): Fn | undefined {
  const own = chosen?.[f.name]
  if (own) return functionsOf(f).find((x) => x === own)
  return entity.document && columns.filter((c) => typeOf(c).sum).slice(0, 3).includes(f) ? typeOf(f).sum : undefined
}
export const totalsOf = (entity: Entity, columns: Field[], chosen: Record<string, string> | undefined): Wanted[] => columns.flatMap((field) => { const fn = totalOf(entity, columns, chosen, field); return fn ? [{ field, fn }] : [] })

const currencyField = (e: Entity, f: Field): string | undefined => [f.currency_field, 'currency', 'currency_code'].map((n) => (n ? fieldOf(e, n) : undefined)).find((x) => x && x.type !== 'relation')?.name
const isMoney = ({ field, fn }: Wanted) => field.type === 'money' && ['sum', 'avg', 'min', 'max'].includes(fn)
// Not the field's own name: a group may have it.
const as = (f: Field): string => `=${f.name}`
const metric = ({ field, fn }: Wanted) => ({ function: fn === 'empty' ? 'count' : fn === 'unique' ? 'count_distinct' : fn, field: field.name, as: as(field) })

/** Sums by group, under the JSON of what the groups are; without groups, one. Money of different currencies is never added up. */
export async function sums(entity: Entity, wanted: Wanted[], by: string[], filter: Condition | undefined, q: string | undefined, limit = 1000): Promise<{ keys: Record<string, unknown>[]; of: (key: Record<string, unknown>) => Sums }> {
  const base = { ...(filter ? { filter } : {}), ...(q ? { q } : {}) }
  const nameOf = (row: Record<string, unknown>) => JSON.stringify(by.map((b) => { const v = row[b.split(':')[0]!]; return v && typeof v === 'object' ? (v as { id: string }).id : v }))
  const found = new Map<string, Sums>()
  const plain = wanted.filter((w) => !isMoney(w))
  const money = new Map<string | undefined, Wanted[]>()
  for (const w of wanted.filter(isMoney)) { const c = currencyField(entity, w.field); money.set(c, [...(money.get(c) ?? []), w]) }
  const [main, ...rest] = await Promise.all([
    records.aggregate(entity.name, { group_by: by, metrics: [{ function: 'count', as: '#' }, ...plain.slice(0, 9).map(metric)], ...base, limit }),
    ...[...money].map(([c, list]) => records.aggregate(entity.name, { group_by: [...by, ...(c ? [c] : [])], metrics: list.slice(0, 10).map(metric), ...base, limit: 10_000 })),
  ])
  for (const row of main!.data) {
    const count = Number(row['#'])
    found.set(nameOf(row), { count, values: Object.fromEntries(plain.slice(0, 9).map((w) => [w.field.name, [{ value: w.fn === 'empty' ? count - Number(row[as(w.field)]) : row[as(w.field)], currency: null }]])) })
  }
  ;[...money].forEach(([c, list], i) => {
    for (const row of rest[i]!.data) {
      const at = found.get(nameOf(row))
      if (at) for (const w of list) if (row[as(w.field)] !== null) (at.values[w.field.name] ??= []).push({ value: row[as(w.field)], currency: c ? (row[c] as string | null) : null })
    }
  })
  return { keys: main!.data, of: (key) => found.get(nameOf(key)) ?? { count: 0, values: {} } }
}

export function sumText({ field, fn }: Wanted, all: Sums | undefined, l: Locale): string {
  const values = (all?.values[field.name] ?? []).filter((v) => v.value !== null && v.value !== undefined)
  if (fn === 'count' || fn === 'empty' || fn === 'unique') return formatNumber(values[0]?.value, l)
  return values.slice(0, 3).map(({ value, currency }) => {
    const v = fn === 'avg' ? rounded(value, field.type === 'money' ? 2 : (field.scale ?? 2)) : value
    if (field.type === 'money') return formatMoney(v, l, currency)
    if (field.type === 'percent') return formatPercent(v, l)
    if (field.type === 'date') return formatDate(v, l)
    return field.type === 'datetime' ? formatInstant(v, l) : formatNumber(v, l, { max: 6 })
  }).join(' · ') + (values.length > 3 ? ' …' : '')
}
const rounded = (v: unknown, digits: number): string => { const n = Number(v); return Number.isFinite(n) ? n.toFixed(digits) : String(v) }
