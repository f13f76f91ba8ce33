import { addDays, daysFrom, earlierOf, laterOf, weekdayOf, weekStart, workdays } from '../days'

export interface Column { from: string; to: string; /** How many of its days are worked on. */ work: number }
/** What somebody has to do from one day to another, both named. */
export interface Load { who: string; from: string; to: string; effort: number }

export function columnsOf(on: string, weeks: boolean, n: number, first: number, weekend: number[]): Column[] {
  const start = weekStart(on, first)
  return Array.from({ length: n }, (_, i) => {
    const from = addDays(start, weeks ? i * 7 : i)
    const to = weeks ? addDays(from, 6) : from
    return { from, to, work: workdays(from, to, weekend) }
  })
}

/** How much of it falls on each column: the same on every day that is worked on, or on every day where none is. */
export function spread(load: Load, columns: Column[], weekend: number[]): number[] {
  const work = workdays(load.from, load.to, weekend)
  const days = work || daysFrom(load.from, load.to) + 1
  return columns.map((c) => {
    const from = laterOf(load.from, c.from)
    const to = earlierOf(load.to, c.to)
    if (from > to) return 0
    const here = work ? workdays(from, to, weekend) : daysFrom(from, to) + 1
    return (load.effort * here) / days
  })
}

/** Sums of fractions stay sums: 0.1 and 0.2 are 0.3. */
export const round = (n: number): number => Math.round(n * 1e6) / 1e6

export interface Person { who: string; cells: number[]; total: number }
export function people(loads: Load[], columns: Column[], weekend: number[]): Person[] {
  const out = new Map<string, Person>()
  for (const l of loads) {
    const shares = spread(l, columns, weekend)
    if (!shares.some((x) => x > 0) && !(l.effort === 0 && columns.some((c) => c.from <= l.to && c.to >= l.from))) continue
    let p = out.get(l.who)
    if (!p) out.set(l.who, (p = { who: l.who, cells: columns.map(() => 0), total: 0 }))
    shares.forEach((x, i) => { p.cells[i]! += x })
  }
  for (const p of out.values()) { p.cells = p.cells.map(round); p.total = round(p.cells.reduce((a, b) => a + b, 0)) }
  return [...out.values()]
}
/** How much more it is than can be done; days on which nobody works have no limit to go over. */
export const over = (n: number, capacity: number, c: Column): number => (c.work && n > capacity * c.work + 1e-9 ? round(n - capacity * c.work) : 0)
export const isRest = (c: Column, weekend: number[]): boolean => c.from === c.to && weekend.includes(weekdayOf(c.from))
