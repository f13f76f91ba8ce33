// Days are their ISO names, "2026-11-21": no clock, no zone.

const at = (day: string): Date => new Date(day + 'T00:00:00Z')
const iso = (d: Date): string => d.toISOString().slice(0, 10)

export const isDay = (s: string | undefined): s is string => !!s && /^\d{4}-\d\d-\d\d$/.test(s) && !Number.isNaN(+at(s)) && iso(at(s)) === s
export function addDays(day: string, n: number): string {
  const d = at(day)
  d.setUTCDate(d.getUTCDate() + n)
  return iso(d)
}
/** The same day of another month, or its last where it is shorter. */
export function addMonths(day: string, n: number): string {
  const d = at(day)
  const want = d.getUTCDate()
  d.setUTCDate(1)
  d.setUTCMonth(d.getUTCMonth() + n)
  const last = new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate()
  d.setUTCDate(Math.min(want, last))
  return iso(d)
}
/** With which day a week begins here: 1 is Monday, 7 is Sunday. */
export function firstWeekday(locale: string): number {
  try {
    const l = new Intl.Locale(locale) as Intl.Locale & { getWeekInfo?: () => { firstDay: number }; weekInfo?: { firstDay: number } }
    return (l.getWeekInfo?.() ?? l.weekInfo)?.firstDay ?? 1
  } catch { return 1 }
}
export const weekStart = (day: string, first: number): string => addDays(day, -((((at(day).getUTCDay() + 6) % 7) + 1 - first + 7) % 7))
export const week = (day: string, first: number): string[] => { const s = weekStart(day, first); return Array.from({ length: 7 }, (_, i) => addDays(s, i)) }
/** The whole weeks that a month touches. */
export function month(day: string, first: number): string[] {
  const start = weekStart(day.slice(0, 8) + '01', first)
  const end = addDays(addMonths(day.slice(0, 8) + '01', 1), -1)
  const out: string[] = []
  for (let d = start; d <= end || out.length % 7; d = addDays(d, 1)) out.push(d)
  return out
}
export const monthOnly = (day: string): string[] => month(day, 1).filter((d) => d.slice(0, 7) === day.slice(0, 7))
export function byDay<T>(rows: T[], dayOf: (row: T) => string): Map<string, T[]> {
  const out = new Map<string, T[]>()
  for (const r of rows) { const d = dayOf(r); const all = out.get(d); if (all) all.push(r); else out.set(d, [r]) }
  return out
}

/** How many days from one to the other: 0 for the same. */
export const daysFrom = (a: string, b: string): number => Math.round((+at(b) - +at(a)) / 864e5)
/** 1 is Monday, 7 is Sunday. */
export const weekdayOf = (day: string): number => ((at(day).getUTCDay() + 6) % 7) + 1
export const daysIn = (from: string, to: string): string[] => Array.from({ length: Math.max(0, daysFrom(from, to) + 1) }, (_, i) => addDays(from, i))
/** On which days of the week nobody works here. */
export function weekendOf(locale: string): number[] {
  try {
    const l = new Intl.Locale(locale) as Intl.Locale & { getWeekInfo?: () => { weekend: number[] }; weekInfo?: { weekend: number[] } }
    return (l.getWeekInfo?.() ?? l.weekInfo)?.weekend ?? [6, 7]
  } catch { return [6, 7] }
}
/** How many of these days, both named, are worked on. */
export function workdays(from: string, to: string, weekend: number[]): number {
  const n = daysFrom(from, to) + 1
  if (n <= 0) return 0
  const whole = Math.floor(n / 7)
  let out = whole * (7 - weekend.length)
  for (let i = whole * 7; i < n; i++) if (!weekend.includes(weekdayOf(addDays(from, i)))) out++
  return out
}
export const laterOf = (a: string, b: string): string => (a > b ? a : b)
export const earlierOf = (a: string, b: string): string => (a < b ? a : b)
