import { editable, expandable } from '@/meta/hooks'
import type { Condition, Entity, Field, Option, Rule } from '@/meta/types'

/** The lane of the records that have nothing in the field. */
export const NONE = ''

/** The columns of a board, in the order of the work. */
export const lanesOf = (e: Entity, f: Field): Option[] => (e.states?.field === f.name ? e.states.options : f.options ?? [])

/** Where a record may go from here, and by which action; none where it is a plain change of the field. */
export function waysFrom(e: Entity, f: Field, from: string, lanes: string[] = []): Map<string, string | null> {
  const out = new Map<string, string | null>()
  if (e.states?.field === f.name) {
    for (const m of e.states.moves) if ([m.from].flat().includes(from) && m.to !== from && !out.has(m.to)) out.set(m.to, m.action)
  } else if (e.can.update && editable(f)) {
    for (const id of f.options?.map((o) => o.id) ?? lanes) if (id !== from && id !== NONE) out.set(id, null)
    if (!f.required && from !== NONE) out.set(NONE, null)
  }
  return out
}

const laneRule = (f: Field, lane: string): Rule =>
  lane === NONE ? { field: f.name, operator: 'is_empty' } : f.type === 'boolean' ? { field: f.name, operator: lane === 'true' ? 'is_true' : 'is_false' } : { field: f.name, operator: 'equals', value: lane }
export const laneFilter = (f: Field, lane: string, filter: Condition | null | undefined, across?: Field, swim?: string): Condition =>
  ({ operator: 'AND', rules: [...(filter ? [filter] : []), laneRule(f, lane), ...(across && swim !== undefined ? [laneRule(across, swim)] : [])] })
/** What is written when a card comes into a lane. */
export const valueIn = (f: Field, lane: string): unknown => (lane === NONE ? null : f.type === 'boolean' ? lane === 'true' : lane)

/** Fields that cards can stand by, in columns or in rows. */
export const standsBy = (f: Field, e: Entity): boolean => !!f.options?.length || f.name === e.states?.field || (!f.system && f.filterable && (f.type === 'user' || (f.type === 'relation' && expandable(f))))

/** How many may be in a column at once, as the view keeps it. */
export function readLimits(text: string | undefined): Record<string, number> {
  let said: unknown
  try { said = JSON.parse(text ?? '{}') } catch { return {} }
  if (!said || typeof said !== 'object' || Array.isArray(said)) return {}
  return Object.fromEntries(Object.entries(said).filter((e): e is [string, number] => typeof e[1] === 'number' && Number.isInteger(e[1]) && e[1] > 0 && e[1] < 100_000))
}

/** The next lane in this direction that may be entered; where there is none, the one it is over. */
export function nextLane(lanes: string[], at: string, by: 1 | -1, may: (lane: string) => boolean): string {
  for (let i = lanes.indexOf(at) + by; i >= 0 && i < lanes.length; i += by) if (may(lanes[i]!)) return lanes[i]!
  return at
}

export interface Total { n: number; sums: { currency: string | null; value: string }[] }
/** How many are in each lane and what they come to: money of different currencies is never added up. */
export function totals(rows: Record<string, unknown>[], f: Field, currency: string | undefined): Map<string, Total> {
  const out = new Map<string, Total>()
  for (const r of rows) {
    const lane = r[f.name] === null || r[f.name] === undefined ? NONE : String(r[f.name])
    const t = out.get(lane) ?? { n: 0, sums: [] }
    t.n += Number(r.n ?? 0)
    if (r.sum !== null && r.sum !== undefined) t.sums.push({ currency: currency ? (r[currency] as string | null) : null, value: String(r.sum) })
    out.set(lane, t)
  }
  return out
}

const TELLING = ['relation', 'money', 'date', 'datetime', 'user', 'tags']
/** What a card says under its title: four things, of different kinds before two of one, in the order of the columns. */
export function cardFields(e: Entity, f: Field, columns: Field[]): Field[] {
  const all = columns.filter((c) => c.name !== e.title_field && c.name !== f.name && !/^currency(_code)?$/.test(c.name) && !['json', 'file', 'uuid', 'textarea'].includes(c.type))
  const worth = (c: Field) => all.filter((x) => x.type === c.type).indexOf(c) * 10 + (TELLING.indexOf(c.type) + 1 || 9)
  const best = [...all].sort((a, b) => worth(a) - worth(b)).slice(0, 4)
  return all.filter((c) => best.includes(c))
}
