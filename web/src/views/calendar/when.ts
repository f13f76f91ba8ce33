import { instantToLocal, localToInstant } from '@/lib/format'
import type { Condition, Field, Row, Rule } from '@/meta/types'
import { addDays, daysFrom, isDay } from '../days'

/** When a record is: whole days, the first and the last; where it has hours, also its first and last instant. */
export interface When { from: string; to: string; at?: number; till?: number; /** Nobody said when it ends. */ open: boolean }
/** The fields that say it. */
export interface Times { start: Field; end?: Field | undefined; zone: string }

const DAY = 864e5
/** How long something lasts of which only the beginning is known. */
export const USUAL = 36e5
export const dayAt = (ms: number, zone: string): string => instantToLocal(new Date(ms).toISOString(), zone).slice(0, 10)
export const todayIn = (zone: string): string => dayAt(Date.now(), zone)
export const wallAt = (ms: number, zone: string): string => instantToLocal(new Date(ms).toISOString(), zone)
export const instant = (wall: string, zone: string): number => +new Date(localToInstant(wall, zone) ?? NaN)
export const midnight = (day: string, zone: string): number => instant(`${day}T00:00`, zone)
export const isTimed = ({ start, end }: Pick<Times, 'start' | 'end'>): boolean => start.type === 'datetime' && (!end || end.type === 'datetime')

const dayOf = (f: Field, v: unknown, zone: string): string | null => {
  const s = f.type === 'datetime' && v ? instantToLocal(String(v), zone) : String(v ?? '')
  return isDay(s.slice(0, 10)) ? s.slice(0, 10) : null
}

export function whenOf(row: Row, t: Times): When | null {
  const from = dayOf(t.start, row[t.start.name], t.zone)
  if (!from) return null
  const last = t.end ? dayOf(t.end, row[t.end.name], t.zone) : null
  const open = last === null
  if (!isTimed(t)) return { from, to: last && last > from ? last : from, open }
  const at = +new Date(String(row[t.start.name]))
  const till = t.end && !open ? Math.max(at, +new Date(String(row[t.end.name]))) : at
  // What ends at midnight does not touch the day that begins there.
  return { from, to: open ? from : dayAt(Math.max(at, till - 1), t.zone), at, till: open ? at + USUAL : till, open }
}

/** So many days later, at the same time by the clock, however long those days are. */
export function byDays(w: When, n: number, zone: string): When {
  if (w.at === undefined || w.till === undefined) return { ...w, from: addDays(w.from, n), to: addDays(w.to, n) }
  const shift = (ms: number) => { const wall = wallAt(ms, zone); return instant(addDays(wall.slice(0, 10), n) + wall.slice(10), zone) + (ms % 6e4) }
  const at = shift(w.at)
  return spanned(at, w.till - w.at < DAY ? at + w.till - w.at : shift(w.till), w.open, zone)
}
export const byMinutes = (w: When, n: number, zone: string): When => (w.at === undefined ? w : spanned(w.at + n * 6e4, w.till! + n * 6e4, w.open, zone))
/** To this moment; what has no hours, to its day. */
export const toInstant = (w: When, at: number, zone: string): When => (w.at === undefined ? byDays(w, daysFrom(w.from, dayAt(at, zone)), zone) : spanned(at, at + w.till! - w.at, w.open, zone))
export const spanned = (at: number, till: number, open: boolean, zone: string): When => ({ from: dayAt(at, zone), to: open ? dayAt(at, zone) : dayAt(Math.max(at, till - 1), zone), at, till, open })

export type Edge = 'start' | 'end'
/** One edge on another day; it never goes past the other edge. */
export function edgeToDay(w: When, edge: Edge, day: string, zone: string): When {
  if (w.at === undefined || w.till === undefined) return edge === 'start' ? { ...w, from: day < w.to ? day : w.to, open: false } : { ...w, to: day > w.from ? day : w.from, open: false }
  const ms = edge === 'start' ? w.at : w.till
  const wall = wallAt(ms, zone)
  // An end at midnight belongs to the day before.
  const n = daysFrom(edge === 'start' ? w.from : w.to, day)
  return edgeToInstant(w, edge, instant(addDays(wall.slice(0, 10), n) + wall.slice(10), zone), zone)
}
export function edgeToInstant(w: When, edge: Edge, ms: number, zone: string, least = 9e5): When {
  const at = edge === 'start' ? Math.min(ms, w.till! - least) : w.at!
  const till = edge === 'end' ? Math.max(ms, w.at! + least) : w.till!
  return spanned(at, till, false, zone)
}

/** What has to be written for it to be then, and no more. */
export function changesOf(row: Row, was: When, now: When, t: Times): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  const put = (f: Field, day: string, ms: number | undefined, before: string, beforeMs: number | undefined) => {
    if (ms !== undefined && f.type === 'datetime') { if (ms !== beforeMs) out[f.name] = new Date(ms).toISOString() } else if (f.type === 'date') { if (day !== before) out[f.name] = day } else if (day !== before) {
      const old = row[f.name] ? instantToLocal(String(row[f.name]), t.zone).slice(10) : 'T18:00'
      out[f.name] = localToInstant(day + old, t.zone)
    }
  }
  put(t.start, now.from, now.at, was.from, was.at)
  if (t.end && !now.open) put(t.end, now.to, now.till, was.open ? '' : was.to, was.open ? undefined : was.till)
  return out
}

const edgeValue = (f: Field, day: string, zone: string): string => (f.type === 'datetime' ? new Date(midnight(day, zone)).toISOString() : day)
/** The condition on the records that touch these days, both named. */
export function touching(t: Times, from: string, to: string): (Rule | Condition)[] {
  const after = addDays(to, 1)
  const begun: Rule = { field: t.start.name, operator: 'less_than', value: edgeValue(t.start, after, t.zone) }
  const here: Rule = { field: t.start.name, operator: 'greater_or_equal', value: edgeValue(t.start, from, t.zone) }
  if (!t.end) return [here, begun]
  return [begun, { operator: 'OR', rules: [here, { field: t.end.name, operator: 'greater_or_equal', value: edgeValue(t.end, from, t.zone) }] }]
}
