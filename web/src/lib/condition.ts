import type { Condition, Rule } from '@/meta/types'
import { instantToLocal, localToInstant } from './format'
import { asPlace, kilometres, type Place } from '@/fields/own/location'

// The condition language for what is on the page: a small twin of the server's, for the operators that filters offer.
// Two-valued and total: a comparison with what is missing, or of another type, is false, and not_x is exactly NOT x.
// Numbers are exact decimals, text is compared by code point, days are days of the organization.

export type Kind = 'text' | 'number' | 'date' | 'instant' | 'bool' | 'id' | 'list' | 'json'
export const kindOf = (type: string): Kind =>
  /^(number|integer|money|percent|quantity|rating|duration|autonumber)$/.test(type) ? 'number' : type === 'date' ? 'date' : type === 'datetime' ? 'instant' : type === 'boolean' ? 'bool'
    : /^(relation|user|uuid|file)$/.test(type) ? 'id' : /^(tags|multiselect|users)$/.test(type) ? 'list' : /^(json|location|signature|address)$/.test(type) ? 'json' : 'text'

export interface Clock { now: Date; zone: string }
export type Test = (row: Record<string, unknown>) => boolean
type Datum = string | boolean | (string | null)[] | bigint | Decimal | Record<string, unknown>
interface Decimal { digits: bigint; scale: number }

const never: Test = () => false
const DAY = /^\d{4}-\d\d-\d\d$/

/** What is true of a row. `kinds` says what a field holds; of a field that is not known, nothing is true. */
export function compile(c: Condition | Rule, kinds: (field: string) => Kind | undefined, clock: Clock): Test {
  if ('field' in c) return rule(c, kinds(c.field), clock)
  // A group without rules asks nothing, and is as if it were not there.
  const tests = c.rules.filter((r) => 'field' in r || asks(r)).map((r) => compile(r, kinds, clock))
  if (!tests.length) return () => true
  return c.operator === 'OR' ? (row) => tests.some((t) => t(row)) : (row) => tests.every((t) => t(row))
}
/** Whether it can be asked here; other operators are the server's alone. */
export const understood = (c: Condition | Rule, kinds: (field: string) => Kind | undefined, clock: Clock): boolean =>
  'field' in c ? Object.keys(c).every((k) => /^(field|operator|value)$/.test(k)) && rule(c, kinds(c.field), clock) !== never : /^(AND|OR)$/.test(c.operator) && c.rules.every((r) => understood(r, kinds, clock))
const asks = (c: Condition): boolean => c.rules.some((r) => 'field' in r || asks(r))

function rule(r: Rule, kind: Kind | undefined, clock: Clock): Test {
  if (!kind) return never
  const left = (row: Record<string, unknown>): Datum | null => read(kind, row[r.field])
  const denied = r.operator === 'not_equals' || r.operator === 'not_in' || r.operator === 'not_contains' || r.operator === 'has_none' || r.operator === 'is_empty'
  const test = positive(denied ? ({ not_equals: 'equals', not_in: 'in', not_contains: 'contains', has_none: 'has_any', is_empty: 'is_not_empty' } as Record<string, string>)[r.operator]! : r.operator, r.value, kind, clock)
  if (!test) return never
  const holds: Test = (row) => { const v = left(row); return v !== null && test(v) }
  return denied ? (row) => !holds(row) : holds
}

type Of = (v: Datum) => boolean
function positive(operator: string, value: unknown, kind: Kind, clock: Clock): Of | null {
  const order = ORDERS[operator]
  if (order) {
    if (kind === 'list' || kind === 'json' || ((kind === 'bool' || kind === 'id') && order !== 'eq')) return null
    return compare(kind, order, value, clock)
  }
  switch (operator) {
    case 'between': {
      if (!Array.isArray(value) || value.length !== 2 || !/^(text|number|date|instant)$/.test(kind)) return null
      const from = compare(kind, 'ge', value[0], clock); const to = compare(kind, 'le', value[1], clock)
      return from && to && ((v) => from(v) && to(v))
    }
    case 'in': {
      if (kind === 'list' || kind === 'json') return null
      const tests = (Array.isArray(value) ? value : [value]).map((x) => compare(kind, 'eq', x, clock))
      return tests.every((x) => x) ? (v) => tests.some((x) => x!(v)) : null
    }
    case 'contains': return typeof value !== 'string' ? null : kind === 'list' ? (v) => (v as (string | null)[]).includes(value) : kind === 'text' ? (v) => (v as string).includes(value) : null
    case 'contains_ci': return kind === 'text' && typeof value === 'string' ? (v) => (v as string).toLowerCase().includes(value.toLowerCase()) : null
    case 'equals_ci': return kind === 'text' && typeof value === 'string' ? (v) => (v as string).toLowerCase() === value.toLowerCase() : null
    case 'starts_with': return kind === 'text' && typeof value === 'string' ? (v) => (v as string).startsWith(value) : null
    case 'ends_with': return kind === 'text' && typeof value === 'string' ? (v) => (v as string).endsWith(value) : null
    case 'is_not_empty': return (v) => !(v === '' || (Array.isArray(v) && !v.length) || (kind === 'json' && typeof v === 'object' && !Object.keys(v).length))
    case 'is_true': return kind === 'bool' ? (v) => v === true : null
    case 'is_false': return kind === 'bool' ? (v) => v === false : null
    case 'has_any': case 'has_all': {
      const items = typeof value === 'string' ? [value] : value
      if (kind !== 'list' || !Array.isArray(items) || !items.every((x) => typeof x === 'string')) return null
      return operator === 'has_any' ? (v) => items.some((x) => (v as unknown[]).includes(x)) : (v) => items.every((x) => (v as unknown[]).includes(x))
    }
    case 'within_km': {
      const near = asPlace(value) as (Place & { km?: number }) | null
      return kind === 'json' && near && typeof near.km === 'number' ? (v) => { const there = asPlace(v); return !!there && kilometres(there, near) <= near.km! } : null
    }
    case 'within_last': case 'within_next': {
      const span = reach(value)
      if (!span || (kind !== 'date' && kind !== 'instant')) return null
      const there = step(clock, operator === 'within_last' ? -span[0] : span[0], span[1])
      const [from, to] = there < clock.now ? [there, clock.now] : [clock.now, there]
      if (kind === 'instant') { const a = micros(from.toISOString())!; const b = micros(to.toISOString())!; return (v) => (v as bigint) >= a && (v as bigint) <= b }
      const a = dayOf(from, clock.zone); const b = dayOf(to, clock.zone)
      return (v) => (v as string) >= a && (v as string) <= b
    }
    case 'is_today': case 'this_week': case 'this_month': case 'this_quarter': case 'this_year': {
      if (kind !== 'date' && kind !== 'instant') return null
      const [from, until] = around(operator, dayOf(clock.now, clock.zone))
      if (kind === 'date') return (v) => (v as string) >= from && (v as string) < until
      const a = midnight(from, clock.zone); const b = midnight(until, clock.zone)
      return a === null || b === null ? null : (v) => (v as bigint) >= a && (v as bigint) < b
    }
    default: return null
  }
}

type Order = 'eq' | 'lt' | 'le' | 'gt' | 'ge'
const ORDERS: Record<string, Order> = { equals: 'eq', greater_than: 'gt', after: 'gt', less_than: 'lt', before: 'lt', greater_or_equal: 'ge', on_or_after: 'ge', less_or_equal: 'le', on_or_before: 'le' }
const allows = (order: Order, c: number): boolean => (order === 'eq' ? c === 0 : order === 'lt' ? c < 0 : order === 'le' ? c <= 0 : order === 'gt' ? c > 0 : c >= 0)

function compare(kind: Kind, order: Order, value: unknown, clock: Clock): Of | null {
  // A day that is asked of an instant is the whole of that day.
  if (kind === 'instant' && typeof value === 'string' && DAY.test(value)) {
    const from = midnight(value, clock.zone); const until = midnight(addDays(value, 1), clock.zone)
    if (from === null || until === null) return null
    return (v) => { const at = v as bigint; return order === 'eq' ? at >= from && at < until : order === 'lt' ? at < from : order === 'ge' ? at >= from : order === 'gt' ? at >= until : at < until }
  }
  let right: Datum | null
  if (kind === 'instant' && typeof value === 'string' && !/(Z|[+-]\d\d:?\d\d)$/i.test(value)) { const at = localToInstant(value, clock.zone); right = at ? micros(at) : null }
  else right = read(kind, kind === 'bool' && (value === 'true' || value === 'false') ? value === 'true' : value)
  if (right === null) return null
  return (v) => allows(order, ordered(v, right))
}

function read(kind: Kind, v: unknown): Datum | null {
  if (v === null || v === undefined) return null
  switch (kind) {
    case 'text': return typeof v === 'string' ? v : null
    case 'number': return decimal(v)
    case 'date': return typeof v === 'string' && DAY.test(v) ? v : null
    case 'instant': return typeof v === 'string' ? micros(v) : null
    case 'bool': return typeof v === 'boolean' ? v : null
    // A list may bring along who is named.
    case 'id': { const id = typeof v === 'object' ? (v as { id?: unknown }).id : v; return typeof id === 'string' ? id.toLowerCase() : null }
    case 'list': return Array.isArray(v) && v.every((x) => x === null || typeof x === 'string') ? v : null
    case 'json': return typeof v === 'object' || typeof v === 'string' ? (v as Datum) : true
  }
}

function decimal(v: unknown): Decimal | null {
  const m = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,3}))?$/.exec(typeof v === 'number' ? String(v) : typeof v === 'string' ? v.trim() : '')
  if (!m || !(m[2] || m[3])) return null
  const scale = m[3]!.length - Number(m[4] ?? 0)
  const digits = BigInt((m[1] === '-' ? '-' : '') + m[2] + m[3])
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 }
}

/** Instants to the microsecond, as the server keeps them. */
function micros(text: string): bigint | null {
  const at = Date.parse(text)
  if (Number.isNaN(at) || DAY.test(text)) return null
  const more = /\.\d{3}(\d{1,3})/.exec(text)?.[1]
  return BigInt(at) * 1000n + BigInt((more ?? '').padEnd(3, '0'))
}

function ordered(a: Datum, b: Datum): number {
  if (typeof a === 'object' && typeof b === 'object' && 'digits' in a && 'digits' in b) {
    const [x, y] = [a as Decimal, b as Decimal]
    const scale = Math.max(x.scale, y.scale)
    return sign(x.digits * 10n ** BigInt(scale - x.scale), y.digits * 10n ** BigInt(scale - y.scale))
  }
  if (typeof a === 'string' && typeof b === 'string') return points(a, b)
  return sign(a as bigint, b as bigint)
}
const sign = <T extends bigint | boolean>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)
/** By code point: a surrogate would come before what is below it. */
function points(a: string, b: string): number {
  const x = [...a]; const y = [...b]
  for (let i = 0; i < Math.min(x.length, y.length); i++) { const d = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!; if (d) return d }
  return x.length - y.length
}

// ---- days -----------------------------------------------------------------------------------------------------------

export const dayOf = (at: Date, zone: string): string => instantToLocal(at.toISOString(), zone).slice(0, 10)
function midnight(day: string, zone: string): bigint | null { const at = localToInstant(`${day}T00:00`, zone); return at ? micros(at) : null }
export function addDays(day: string, n: number): string { const d = new Date(day + 'T00:00:00Z'); d.setUTCDate(d.getUTCDate() + n); return d.toISOString().slice(0, 10) }
/** Months end where they end: a month after the 31st of January is the last of February. */
function addMonths(day: string, n: number): string {
  const d = new Date(day + 'T00:00:00Z'); const date = d.getUTCDate()
  d.setUTCDate(1); d.setUTCMonth(d.getUTCMonth() + n)
  d.setUTCDate(Math.min(date, new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate()))
  return d.toISOString().slice(0, 10)
}
/** The first day of a time that a day is in, and the first of the next. Weeks begin on Monday. */
function around(period: string, day: string): [string, string] {
  if (period === 'is_today') return [day, addDays(day, 1)]
  if (period === 'this_week') { const start = addDays(day, -((new Date(day + 'T00:00:00Z').getUTCDay() + 6) % 7)); return [start, addDays(start, 7)] }
  if (period === 'this_year') { const start = day.slice(0, 4) + '-01-01'; return [start, addMonths(start, 12)] }
  const start = day.slice(0, 8) + '01'
  if (period === 'this_month') return [start, addMonths(start, 1)]
  const quarter = addMonths(start, -((Number(day.slice(5, 7)) - 1) % 3))
  return [quarter, addMonths(quarter, 3)]
}
type Unit = 'minutes' | 'days' | 'months'
/** `7`, `"7d"`, `{amount: 7, unit: "days"}`. */
function reach(value: unknown): [number, Unit] | null {
  const text = typeof value === 'number' ? `${value}d` : typeof value === 'string' ? value : value && typeof value === 'object' && 'unit' in value ? `${(value as { amount?: unknown }).amount}${String(value.unit)}` : ''
  const m = /^\s*(\d{1,6})\s*([a-z]+)\s*$/i.exec(text)
  if (!m) return null
  const n = Number(m[1])
  const unit = m[2]!.toLowerCase()
  if (/^min(utes?)?$/.test(unit)) return [n, 'minutes']
  if (/^h(ours?)?$/.test(unit)) return [n * 60, 'minutes']
  if (/^d(ays?)?$/.test(unit)) return [n, 'days']
  if (/^w(eeks?)?$/.test(unit)) return [n * 7, 'days']
  if (/^m(o|onths?)?$/.test(unit)) return [n, 'months']
  if (/^q(uarters?)?$/.test(unit)) return [n * 3, 'months']
  return /^y(ears?)?$/.test(unit) ? [n * 12, 'months'] : null
}
/** So far from now, by the clock on the wall. */
function step({ now, zone }: Clock, n: number, unit: Unit): Date {
  if (unit === 'minutes') return new Date(+now + n * 60_000)
  const day = dayOf(now, zone)
  const to = unit === 'days' ? addDays(day, n) : addMonths(day, n)
  const at = localToInstant(to + instantToLocal(now.toISOString(), zone).slice(10), zone)
  // What the minute leaves over stays.
  return new Date((at ? Date.parse(at) : +now) + (+now % 60_000))
}
