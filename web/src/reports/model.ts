import { keepPreviousData } from '@tanstack/react-query'
import { get, Problem } from '@/api/http'
import type { Condition, Field, Meta, ModuleReports } from '@/meta/types'

// What a report is, as /meta says it, and what becomes of its answer. Nothing here knows any report by name.

export interface Column { name: string; type: string; label: string }
export interface Param extends Column { options?: string[]; entity?: string; required?: boolean; hidden?: boolean }
/** Where a figure leads. `$x` is what the row says of x, else the answer, else the parameters. */
export interface Drill { row: string; column?: string; report?: string; params?: Record<string, string>; entity?: string; id?: string; filter?: Condition }
export interface Report {
  name: string; module: string; label: string; help?: string | null; icon?: string | null; row_name?: string | null
  compare?: 'span' | 'day' | null; params: Param[]; columns: Column[]; drill?: Drill[] | null
}
export type Row = Record<string, unknown> & { key: string; level?: number; role?: 'group' | 'result'; word?: string }
export interface Answer { rows: Row[]; sums?: Row[]; columns?: (string | Column)[]; currency?: string; from?: string; to?: string; as_of?: string; about?: string; next?: number; inputs_hash?: string; [more: string]: unknown }
export type Search = Record<string, string>
export type Target = { to: 'report'; module: string; name: string; search: Search } | { to: 'list'; entity: string; filter: Condition } | { to: 'record'; entity: string; id: string }

export function reportOf(meta: Meta | undefined, module: string, name: string): { report: Report; words: Record<string, string> } | undefined {
  const home = meta?.reports?.find((m) => m.module === module)
  const report = home?.reports.find((r) => r.name === name) as Report | undefined
  return home && report ? { report, words: home.words } : undefined
}
/** Those that ask for nothing to begin with; the others are reached from a figure, or in the list after them. */
export const listed = (m: ModuleReports): Report[] => (m.reports as Report[]).filter((r) => r.params.filter((p) => p.required).length < 2)

/** What the server is asked: only what the report knows. */
export const asked = (report: Report, search: Search): Search => Object.fromEntries(report.params.flatMap((p) => (search[p.name] ? [[p.name, search[p.name]!]] : [])))
export const lacks = (report: Report, search: Search): Param | undefined => report.params.find((p) => p.required && !search[p.name])

/** A refusal is an answer: it is not asked again. */
export const answered = (module: string, name: string, params: Search) => ({
  queryKey: ['report', module, name, params], staleTime: 20_000, retry: (n: number, e: Error) => !(e instanceof Problem) && n < 2, placeholderData: keepPreviousData,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const answer = await get<Answer>(`/reports/${module}/${name}`, params, signal)
    return { ...answer, rows: [...answer.rows, ...(answer.sums ?? [])] }
  },
})

/** A parameter as a field of a form. */
export function fieldOf(p: Param, words: Record<string, string>): Field {
  const type = p.type === 'numbers' || p.type === 'percent' ? 'text' : p.type
  return {
    name: p.name, label: p.label, type, required: !!p.required || p.type === 'select', readonly: false, access: 'write', filterable: false, sortable: false, custom: false, unique: false,
    options: p.options?.map((id) => ({ id, label: words[id] ?? id })) ?? null, ref: p.entity ? { entity: p.entity } : null,
  }
}

export const columnsOf = (report: Report, answer: Answer | undefined): Column[] =>
  (answer?.columns ?? report.columns).flatMap((c) => (typeof c === 'string' ? report.columns.filter((k) => k.name === c) : [c]))
/** The column that rows are known by. */
export const titleOf = (report: Report): string => report.row_name ?? report.columns[0]!.name

// ---- days -----------------------------------------------------------------------------------------------------------
const day = (text: string): Date => new Date(text + 'T00:00:00Z')
const write = (d: Date): string => d.toISOString().slice(0, 10)
export const plus = (text: string, days: number): string => { const d = day(text); d.setUTCDate(d.getUTCDate() + days); return write(d) }
const last = (y: number, m: number): number => new Date(Date.UTC(y, m + 1, 0)).getUTCDate()
/** So many months on: the end of a month stays an end. */
export function months(text: string, n: number): string {
  const d = day(text)
  const at = new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + n, 1))
  const [y, m] = [at.getUTCFullYear(), at.getUTCMonth()]
  const isEnd = d.getUTCDate() === last(d.getUTCFullYear(), d.getUTCMonth())
  return write(new Date(Date.UTC(y, m, isEnd ? last(y, m) : Math.min(d.getUTCDate(), last(y, m)))))
}

export type Against = 'previous' | 'year'
/** What stands beside a span: the one of the same length just before, in whole months where it is of such; or a year ago. */
export function shifted(report: Report, answer: Answer, against: Against): Search | null {
  if (report.compare === 'day') return answer.as_of ? { as_of: months(answer.as_of, against === 'year' ? -12 : -1) } : null
  const { from, to } = answer
  if (report.compare !== 'span' || !from || !to) return null
  if (against === 'year') return { from: months(from, -12), to: months(to, -12) }
  const [a, b] = [day(from), day(plus(to, 1))]
  const whole = a.getUTCDate() === 1 && b.getUTCDate() === 1
  const n = (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth()
  if (whole && n > 0) return { from: months(from, -n), to: plus(from, -1) }
  const days = Math.round((+b - +a) / 864e5)
  return { from: plus(from, -days), to: plus(from, -1) }
}

export type Preset = 'month' | 'lastMonth' | 'quarter' | 'lastQuarter' | 'year' | 'lastYear'
export const PRESETS: Preset[] = ['month', 'lastMonth', 'quarter', 'lastQuarter', 'year', 'lastYear']
/** A usual span; of a day, its end, or today where that is to come. */
export function preset(report: Report, which: Preset, today: string): Search {
  const size = /month/i.test(which) ? 1 : /quarter/i.test(which) ? 3 : 12
  const d = day(today)
  const start = write(new Date(Date.UTC(d.getUTCFullYear(), Math.floor(d.getUTCMonth() / size) * size - (which.startsWith('last') ? size : 0), 1)))
  const to = plus(months(start, size), -1)
  if (report.params.some((p) => p.name === 'as_of')) return { as_of: to > today ? today : to }
  return { from: start, to }
}

// ---- figures --------------------------------------------------------------------------------------------------------
const scaled = (v: string, digits: number): bigint => { const [w = '0', f = ''] = v.replace('-', '').split('.'); return BigInt(w + f.padEnd(digits, '0')) * (v.startsWith('-') ? -1n : 1n) }
/** Exactly one less the other; nothing is nought. */
export function difference(a: unknown, b: unknown): string {
  const [x, y] = [String(a ?? '0'), String(b ?? '0')]
  const digits = Math.max(...[x, y].map((v) => v.split('.')[1]?.length ?? 0))
  const n = scaled(x, digits) - scaled(y, digits)
  const text = (n < 0n ? -n : n).toString().padStart(digits + 1, '0')
  return (n < 0n ? '-' : '') + (digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text)
}
/** In parts of a hundred of what it was; null where it was nothing. */
export const share = (delta: string, was: unknown): number | null => (Number(was ?? 0) === 0 ? null : (Number(delta) / Math.abs(Number(was))) * 100)

export interface Shown { row: Row; was?: Row | undefined; depth: number; holds: boolean; hidden: boolean }
/** Rows in their order, with what stood there before; a row that there is no more follows the one it followed. */
export function lined(rows: Row[], before: Row[] | undefined, shut: Set<string>): Shown[] {
  const all = [...rows]
  const here = new Set(rows.map((r) => r.key))
  before?.forEach((r, i) => {
    if (here.has(r.key)) return
    const at = i ? all.findIndex((x) => x.key === before[i - 1]!.key) : -1
    all.splice(at + 1, 0, gone(r))
  })
  const was = new Map(before?.map((r) => [r.key, r]))
  let closed: number | null = null
  return all.map((row, i) => {
    const depth = row.level ?? 0
    if (closed !== null && depth <= closed) closed = null
    const hidden = closed !== null
    const holds = (all[i + 1]?.level ?? 0) > depth
    if (!hidden && holds && shut.has(row.key)) closed = depth
    return { row, was: was.get(row.key), depth, holds, hidden }
  })
}
/** Of a row that was there before only: what it is called, and no figures. */
const FIGURE = /^-?\d+(\.\d+)?$/
const gone = (r: Row): Row => Object.fromEntries(Object.entries(r).filter(([k, v]) => ['key', 'code', 'name', 'account'].includes(k) || typeof v !== 'string' || !FIGURE.test(v))) as Row

// ---- where a figure leads -------------------------------------------------------------------------------------------
export function target(report: Report, row: Row, column: string, answer: Answer, search: Search, meta: Meta | undefined): Target | null {
  const has = (d: Drill) => row[d.row] !== undefined && row[d.row] !== null
  const d = report.drill?.find((x) => x.column === column && has(x)) ?? report.drill?.find((x) => !x.column && has(x))
  if (!d) return null
  const said = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(said)
    if (typeof v !== 'string' || !v.startsWith('$')) return v
    const name = v.slice(1)
    return row[name] ?? answer[name] ?? search[name] ?? null
  }
  if (d.report) {
    const [module, name] = String(said(d.report) ?? '').split('.') as [string, string]
    const there = reportOf(meta, module, name)
    const values = Object.entries(d.params ?? {}).map(([k, v]) => [k, said(v)] as const)
    return there ? { to: 'report', module, name, search: Object.fromEntries(values.flatMap(([k, v]) => (v !== null && there.report.params.some((p) => p.name === k) ? [[k, String(v)]] : []))) } : null
  }
  const entity = meta?.entities[String(said(d.entity))]
  if (!entity) return null
  if (d.filter) return { to: 'list', entity: entity.name, filter: { ...d.filter, rules: d.filter.rules.map((r) => ('rules' in r ? r : { ...r, value: said(r.value) })) } }
  const id = said(d.id)
  // A part is shown with its whole, which the row does not name.
  return id && !entity.part_of ? { to: 'record', entity: entity.name, id: String(id) } : null
}
