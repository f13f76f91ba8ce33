import { daysFrom } from '../days'
import type { When } from './when'

export interface Segment<T> { of: T; /** The column it begins in, and how many it takes. */ at: number; n: number; lane: number; /** It goes on before, after. */ before: boolean; after: boolean }

/** Bars over these days, each in the first lane that is free: long ones above, what began earlier first. */
export function lanesOf<T extends { when: When }>(all: T[], days: string[]): { segments: Segment<T>[]; lanes: number } {
  const first = days[0]!
  const last = days.at(-1)!
  const here = all.filter((x) => x.when.from <= last && x.when.to >= first)
  here.sort((a, b) => cmp(a.when.from < first ? first : a.when.from, b.when.from < first ? first : b.when.from) || daysFrom(b.when.from, b.when.to) - daysFrom(a.when.from, a.when.to) || (a.when.at ?? 0) - (b.when.at ?? 0))
  const ends: string[] = []
  const segments = here.map((of): Segment<T> => {
    const from = of.when.from < first ? first : of.when.from
    const to = of.when.to > last ? last : of.when.to
    let lane = ends.findIndex((e) => e < from)
    if (lane < 0) lane = ends.length
    ends[lane] = to
    return { of, at: daysFrom(first, from), n: daysFrom(from, to) + 1, lane, before: of.when.from < first, after: of.when.to > last }
  })
  return { segments, lanes: ends.length }
}
const cmp = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What of it is drawn where a day has room for so many: the rest is counted for each day. */
export function fitting<T>(segments: Segment<T>[], columns: number, room: number): { shown: Segment<T>[]; more: number[] } {
  const deepest = Array.from({ length: columns }, () => 0)
  const over = (s: Segment<T>, f: (c: number) => void) => { for (let c = s.at; c < s.at + s.n; c++) f(c) }
  for (const s of segments) over(s, (c) => { deepest[c] = Math.max(deepest[c]!, s.lane + 1) })
  // A day with more than there is room for gives its last place to their number.
  const shown = segments.filter((s) => { let fits = true; over(s, (c) => { if (s.lane >= (deepest[c]! > room ? room - 1 : room)) fits = false }); return fits })
  const more = deepest.map(() => 0)
  for (const s of segments) if (!shown.includes(s)) over(s, (c) => { more[c]!++ })
  return { shown, more }
}

export interface Beside<T> { of: T; from: number; to: number; column: number; columns: number }
/** Things of one day, by hour: those that overlap stand side by side. */
export function beside<T>(all: { of: T; from: number; to: number }[]): Beside<T>[] {
  const sorted = [...all].sort((a, b) => a.from - b.from || b.to - a.to)
  const out: Beside<T>[] = []
  let group: Beside<T>[] = []
  let end = -Infinity
  const close = () => { const n = Math.max(0, ...group.map((g) => g.column)) + 1; for (const g of group) g.columns = n; group = [] }
  for (const x of sorted) {
    if (x.from >= end) close()
    const taken = new Set(group.filter((g) => g.to > x.from).map((g) => g.column))
    let column = 0
    while (taken.has(column)) column++
    const placed = { ...x, column, columns: 1 }
    group.push(placed)
    out.push(placed)
    end = Math.max(group.length === 1 ? -Infinity : end, x.to)
  }
  close()
  return out
}
