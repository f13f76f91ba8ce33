import type { Condition, Entity, Field, Row, Rule } from '@/meta/types'
import { isRule } from '@/meta/types'
import { fieldOf, visibleFields } from '@/meta/hooks'

/** What a table, a board and their like answer to. */
export interface ViewHandle { focus: () => void; step?: (id: string, by: number) => Row | undefined; openAll?: (to: boolean) => void }

/** What a view that is no table goes by: fields' names and the like, each kind's own. */
export type Options = Record<string, string>
/** What a view is: one JSON document, the same in the URL, in a saved view and in memory. */
export interface ViewState { columns?: string[]; widths?: Record<string, number>; frozen?: number; sort?: string; filter?: Condition; group?: string[]; totals?: Record<string, string>; format?: FormatRule[]; options?: Options }
/** What stands out: rows, or one of their cells, that a condition is true of. */
export interface FormatRule { when: Condition; color: string; field?: string }
export interface TableSearch extends ViewState { as?: string; on?: string; span?: string; view?: string; q?: string; rec?: string; tab?: string; new?: boolean }
export interface SavedView { id: string; entity: string; name: string; kind: string; state: ViewState; visibility: 'private' | 'team' | 'shared'; team_id?: string | null; locked?: boolean; default_for?: string[]; position?: number; mine?: boolean; /** Whether this person may change how it looks. */ can_edit?: boolean; /** Whether he says who sees it. */ can_manage?: boolean; /** Opens for him when the address names none. */ is_default?: boolean }

const words = (v: unknown): string[] | undefined => (Array.isArray(v) && v.every((x) => typeof x === 'string') ? (v as string[]) : undefined)
const text = (v: unknown): string | undefined => (v === undefined || v === null || v === '' ? undefined : String(v))

const texts = (v: unknown): Record<string, string> | undefined => (v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).filter((e): e is [string, string] => typeof e[1] === 'string')) : undefined)
const readFormat = (v: unknown): FormatRule[] | undefined => (Array.isArray(v) ? v.flatMap((r: Partial<FormatRule> | null): FormatRule[] => {
  const when = readCondition(r?.when)
  return when && typeof r?.color === 'string' ? [{ when, color: r.color, ...(typeof r.field === 'string' ? { field: r.field } : {}) }] : []
}).slice(0, 20) : undefined)

export function readCondition(v: unknown, depth = 0): Condition | undefined {
  if (!v || typeof v !== 'object' || depth > 8) return undefined
  const c = v as { operator?: unknown; rules?: unknown }
  if (!Array.isArray(c.rules)) return undefined
  const operator = String(c.operator ?? 'AND').toUpperCase() === 'OR' ? 'OR' : 'AND'
  const rules = c.rules.flatMap((r: unknown): (Rule | Condition)[] => {
    if (!r || typeof r !== 'object') return []
    if ('rules' in r) { const inner = readCondition(r, depth + 1); return inner ? [inner] : [] }
    const x = r as { field?: unknown; operator?: unknown; value?: unknown }
    return typeof x.field === 'string' && typeof x.operator === 'string' ? [x.value === undefined ? { field: x.field, operator: x.operator } : { field: x.field, operator: x.operator, value: x.value }] : []
  })
  return rules.length ? { operator, rules } : undefined
}

export function readTableSearch(s: Record<string, unknown>): TableSearch {
  const out: TableSearch = {}
  const view = text(s.view); if (view) out.view = view
  const as = text(s.as); if (as) out.as = as
  const on = text(s.on); if (on) out.on = on
  const span = text(s.span); if (span) out.span = span
  const q = text(s.q); if (q) out.q = q
  const sort = text(s.sort); if (sort !== undefined) out.sort = sort
  const rec = text(s.rec); if (rec) out.rec = rec
  const tab = text(s.tab); if (tab) out.tab = tab
  if (s.new === true || s.new === 'true' || s.new === 1) out.new = true
  const columns = words(s.columns); if (columns) out.columns = columns
  const filter = readCondition(s.filter); if (filter) out.filter = filter
  if (s.filter === null || s.filter === '') out.filter = { operator: 'AND', rules: [] }
  if (s.widths && typeof s.widths === 'object' && !Array.isArray(s.widths)) {
    const w = Object.entries(s.widths as Record<string, unknown>).filter((e): e is [string, number] => typeof e[1] === 'number' && e[1] >= 40 && e[1] <= 1200)
    if (w.length) out.widths = Object.fromEntries(w)
  }
  if (typeof s.frozen === 'number' && s.frozen >= 0 && s.frozen <= 50) out.frozen = Math.floor(s.frozen)
  const group = words(s.group); if (group) out.group = group.slice(0, 3)
  const totals = texts(s.totals); if (totals) out.totals = totals
  const format = readFormat(s.format); if (format) out.format = format
  if (s.options && typeof s.options === 'object' && !Array.isArray(s.options)) {
    const o = Object.entries(s.options as Record<string, unknown>).filter((e): e is [string, string] => typeof e[1] === 'string')
    if (o.length) out.options = Object.fromEntries(o)
  }
  return out
}

/** The URL says what differs from the saved view. */
export function merged(search: TableSearch, view: SavedView | undefined): ViewState {
  const base = view?.state ?? {}
  const out: ViewState = {}
  const columns = search.columns ?? base.columns; if (columns) out.columns = columns
  const widths = { ...base.widths, ...search.widths }; if (Object.keys(widths).length) out.widths = widths
  const sort = search.sort ?? base.sort; if (sort) out.sort = sort
  const filter = search.filter ?? readCondition(base.filter); if (filter && filter.rules.length) out.filter = filter
  const frozen = search.frozen ?? base.frozen; if (frozen !== undefined) out.frozen = frozen
  const group = search.group ?? base.group; if (group?.length) out.group = group
  const totals = { ...base.totals, ...search.totals }; if (Object.keys(totals).length) out.totals = totals
  const format = search.format ?? readFormat(base.format); if (format?.length) out.format = format
  const options = { ...base.options, ...search.options }; if (Object.keys(options).length) out.options = options
  return out
}
const KEPT = ['columns', 'widths', 'frozen', 'sort', 'filter', 'group', 'totals', 'format', 'options', 'as'] as const
export const changed = (s: TableSearch): boolean => KEPT.some((k) => s[k] !== undefined)

/** The address says it, else the saved view. */
export const kindOf = (search: TableSearch, view: SavedView | undefined): string => search.as ?? (view?.kind || 'table')

export function columnsOf(e: Entity, state: ViewState): Field[] {
  const wanted = (state.columns?.length ? state.columns : e.list).map((n) => fieldOf(e, n)).filter((f) => !!f)
  if (wanted.length) return wanted
  return visibleFields(e).slice(0, 6)
}

// ---- sort -----------------------------------------------------------------------------------------------------------
export const sorts = (sort: string | undefined): { name: string; down: boolean }[] => (sort ?? '').split(',').filter(Boolean).map((s) => ({ name: s.replace(/^-/, ''), down: s.startsWith('-') }))
export const writeSort = (all: { name: string; down: boolean }[]): string => all.map((s) => (s.down ? '-' : '') + s.name).join(',')
/** A click goes up, down, off; with Shift the other keys stay. */
export function nextSort(sort: string | undefined, name: string, add: boolean): string {
  const all = sorts(sort)
  const at = all.findIndex((s) => s.name === name)
  const now = all[at]
  const changedKey = !now ? { name, down: false } : now.down ? null : { name, down: true }
  if (!add) return changedKey ? writeSort([changedKey]) : ''
  if (at < 0) return writeSort([...all, changedKey!])
  return writeSort(changedKey ? all.map((s, i) => (i === at ? changedKey : s)) : all.filter((_, i) => i !== at))
}

// ---- filter ---------------------------------------------------------------------------------------------------------
export const rulesOf = (c: Condition | undefined): (Rule | Condition)[] => c?.rules ?? []
export function withRule(c: Condition | undefined, at: number | null, rule: Rule | null): Condition {
  const rules = [...rulesOf(c)]
  if (at === null) { if (rule) rules.push(rule) } else if (rule) rules[at] = rule
  else rules.splice(at, 1)
  return { operator: c?.operator ?? 'AND', rules }
}
/** A rule still being filled in is not sent. */
export const complete = (r: Rule | Condition): boolean => {
  if (!isRule(r)) return true
  if (/^(is_|this_)/.test(r.operator)) return true
  if (Array.isArray(r.value)) return r.value.length > 0 && r.value.every((x) => x !== null && x !== '')
  return r.value !== undefined && r.value !== null && r.value !== ''
}
export function sendable(c: Condition | undefined): Condition | undefined {
  if (!c) return undefined
  const rules = c.rules.flatMap((r): (Rule | Condition)[] => { if (isRule(r)) return complete(r) ? [r] : []; const inner = sendable(r); return inner ? [inner] : [] })
  return rules.length ? { ...c, rules } : undefined
}
