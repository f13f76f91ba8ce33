import { addDays, addMonths, daysFrom, weekdayOf, weekStart } from '../days'

export const ZOOMS = ['day', 'week', 'month', 'quarter', 'year'] as const
export type Zoom = (typeof ZOOMS)[number]
/** How wide a day is, and how many of them are there to scroll over. */
const SCALE: Record<Zoom, { px: number; days: number }> = { day: { px: 30, days: 98 }, week: { px: 14, days: 210 }, month: { px: 5, days: 610 }, quarter: { px: 2, days: 1461 }, year: { px: 0.6, days: 5114 } }

export interface Tick { at: number; n: number; day: string }
export interface Scale { zoom: Zoom; px: number; from: string; to: string; days: number; above: Tick[]; below: Tick[] }

const monthOf = (d: string) => d.slice(0, 8) + '01'
const quarterOf = (d: string) => `${d.slice(0, 5)}${String(Math.floor((Number(d.slice(5, 7)) - 1) / 3) * 3 + 1).padStart(2, '0')}-01`
const yearOf = (d: string) => d.slice(0, 5) + '01-01'
const decadeOf = (d: string) => `${d.slice(0, 3)}0-01-01`

/** The days around one, a third of them before it, in whole units of the scale. */
export function scaleOf(zoom: Zoom, on: string, first: number): Scale {
  const { px, days } = SCALE[zoom]
  const begin = { day: (d: string) => weekStart(d, first), week: (d: string) => weekStart(d, first), month: monthOf, quarter: quarterOf, year: yearOf }[zoom]
  const from = begin(addDays(on, -Math.round(days / 3)))
  const next: Record<string, (d: string) => string> = { day: (d) => addDays(d, 1), week: (d) => addDays(d, 7), month: (d) => addMonths(d, 1), quarter: (d) => addMonths(d, 3), year: (d) => addMonths(d, 12), decade: (d) => addMonths(d, 120) }
  const to = addDays(begin(addDays(from, days)), -1)
  const ticks = (start: string, step: (d: string) => string): Tick[] => {
    const out: Tick[] = []
    for (let d = start; d <= to; d = step(d)) { const a = d < from ? from : d; const z = step(d); out.push({ at: daysFrom(from, a), n: daysFrom(a, z > to ? addDays(to, 1) : z), day: d }) }
    return out
  }
  const [above, below] = { day: [ticks(monthOf(from), next.month!), ticks(from, next.day!)], week: [ticks(monthOf(from), next.month!), ticks(from, next.week!)], month: [ticks(yearOf(from), next.year!), ticks(from, next.month!)], quarter: [ticks(yearOf(from), next.year!), ticks(from, next.quarter!)], year: [ticks(decadeOf(from), next.decade!), ticks(from, next.year!)] }[zoom] as [Tick[], Tick[]]
  return { zoom, px, from, to, days: daysFrom(from, to) + 1, above, below }
}
/** The days in sight, by steps, so that a little scrolling asks for nothing. */
const STEP: Record<Zoom, number> = { day: 3, week: 7, month: 14, quarter: 30, year: 120 }
export function inSight(s: Scale, left: number, width: number): { from: string; to: string } {
  const step = STEP[s.zoom]
  const a = Math.max(0, Math.floor(left / s.px / step) * step)
  const b = Math.min(s.days, Math.max(a + step, Math.ceil((left + width) / s.px / step) * step)) - 1
  return { from: addDays(s.from, a), to: addDays(s.from, b) }
}
/** Weekends as stretches, where a day is wide enough to see. */
export function restDays(s: Scale, weekend: number[]): Tick[] {
  if (s.px < 5) return []
  const out: Tick[] = []
  for (let i = 0; i < s.days; i++) {
    const day = addDays(s.from, i)
    if (!weekend.includes(weekdayOf(day))) continue
    const last = out.at(-1)
    if (last && last.at + last.n === i) last.n++
    else out.push({ at: i, n: 1, day })
  }
  return out
}
