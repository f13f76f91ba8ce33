import type { Locale } from '@/lib/format'

const TIME = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/
/** A time of day as the language tells it: 9:05 PM, 21:05. */
export function formatTime(value: unknown, l: Locale): string {
  const s = String(value ?? '')
  if (!TIME.test(s)) return s
  return new Intl.DateTimeFormat(l.locale, { timeStyle: s.length > 5 ? 'medium' : 'short', timeZone: 'UTC' }).format(new Date(`2000-01-01T${s}Z`))
}

const DAYS = /^(\d{4}-\d\d-\d\d)\/(\d{4}-\d\d-\d\d)$/
/** The first and the last day, of an interval as ISO 8601 writes it. */
export const asDays = (value: unknown): [string, string] | null => { const m = DAYS.exec(String(value ?? '')); return m ? [m[1]!, m[2]!] : null }
/** What is the same in both is told once: Nov 1 – 5, 2026. */
export function formatDays(value: unknown, l: Locale): string {
  const days = asDays(value)
  // Half of it, as long as it is being written.
  if (value && typeof value === 'object') return Object.values(value).filter(Boolean).join(' – ')
  if (!days) return String(value ?? '')
  const [from, to] = days.map((d) => new Date(`${d}T00:00:00Z`)) as [Date, Date]
  return new Intl.DateTimeFormat(l.locale, { dateStyle: 'medium', timeZone: 'UTC' }).formatRange(from, to)
}
