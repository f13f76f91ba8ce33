import type { Condition, Entity, Field, Row } from '@/meta/types'
import { addDays } from '../days'

export const measurable = (f: Field): boolean => ['number', 'integer', 'quantity', 'money', 'percent'].includes(f.type) && !f.system
const has = (e: Entity, n: string): boolean => e.fields.some((f) => f.name === n && measurable(f))
const PAIRS = [['delivered_quantity', 'quantity'], ['shipped_quantity', 'quantity'], ['done_quantity', 'quantity'], ['paid', 'gross'], ['paid', 'total'], ['allocated', 'amount'], ['spent', 'budget']]
const pair = (e: Entity): string[] | undefined => PAIRS.find(([a, b]) => has(e, a!) && has(e, b!))
export const donePreset = (e: Entity): string | undefined => e.fields.find((f) => f.type === 'percent' && /progress|complete|done/.test(f.name))?.name ?? pair(e)?.[0]
export const ofPreset = (e: Entity): string | undefined => (e.fields.some((f) => f.type === 'percent' && /progress|complete|done/.test(f.name)) ? undefined : pair(e)?.[1])

/** States that nothing leads out of: the work is over, well or not. */
export function finals(e: Entity): string[] {
  const from = new Set(e.states?.moves.flatMap((m) => [m.from].flat()) ?? [])
  // What only comes back from there is an exception, not the way on.
  const back = new Set(e.states?.moves.filter((m) => { const order = e.states!.options.map((o) => o.id); return [m.from].flat().every((f) => order.indexOf(f) > order.indexOf(m.to)) || /return|void|cancel|reopen/.test(m.action) }).flatMap((m) => [m.from].flat()) ?? [])
  const onward = new Set(e.states?.moves.filter((m) => !/return|void|cancel|reopen/.test(m.action)).flatMap((m) => [m.from].flat()) ?? [])
  return (e.states?.options ?? []).map((o) => o.id).filter((id) => !from.has(id) || (back.has(id) && !onward.has(id)))
}

export const HEALTH = ['late', 'soon', 'well', 'over', 'open'] as const
export type Health = (typeof HEALTH)[number]
export const SOON = 7

export function healthOf(e: Entity, due: Field, row: Row, share: number | null, today: string, over: string[]): Health {
  const state = e.states ? String(row[e.states.field] ?? '') : ''
  if (over.includes(state) || (!e.states && share !== null && share >= 1)) return 'over'
  const day = typeof row[due.name] === 'string' ? String(row[due.name]).slice(0, 10) : ''
  if (!day) return 'open'
  return day < today ? 'late' : day <= addDays(today, SOON) ? 'soon' : 'well'
}
/** The same, asked of the server. */
export function healthRule(e: Entity, due: Field, h: Health, today: string, over: string[]): Condition {
  const open = e.states && over.length ? [{ field: e.states.field, operator: 'not_in', value: over }] : []
  const days = addDays(today, SOON)
  const rules = h === 'over' ? [{ field: e.states!.field, operator: 'in', value: over }]
    : h === 'open' ? [{ field: due.name, operator: 'is_empty' }, ...open]
      : h === 'late' ? [{ field: due.name, operator: 'before', value: today }, ...open]
        : h === 'soon' ? [{ field: due.name, operator: 'between', value: [today, days] }, ...open] : [{ field: due.name, operator: 'after', value: days }, ...open]
  return { operator: 'AND', rules }
}
/** How far along, between nothing and all of it; nothing where it cannot be said. */
export function shareOf(row: Row, done: Field | undefined, of: Field | undefined): number | null {
  if (!done) return null
  const a = Number(row[done.name])
  if (row[done.name] === null || row[done.name] === undefined || !Number.isFinite(a)) return null
  if (done.type === 'percent') return Math.max(0, Math.min(1, a / 100))
  const b = of ? Number(row[of.name]) : NaN
  return Number.isFinite(b) && b > 0 ? Math.max(0, Math.min(1, a / b)) : null
}
