import { formatDate, formatInstant, type Locale } from '@/lib/format'
import type { When } from './when'

const made = new Map<string, Intl.DateTimeFormat>()
export function dates(l: Locale, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = l.locale + zone + JSON.stringify(options)
  let f = made.get(key)
  if (!f) made.set(key, (f = new Intl.DateTimeFormat(l.locale, { ...options, timeZone: zone })))
  return f
}
const noon = (day: string): Date => new Date(day + 'T12:00:00Z')
export const sayDay = (day: string, l: Locale, options: Intl.DateTimeFormatOptions): string => dates(l, 'UTC', options).format(noon(day))
export const sayDays = (from: string, to: string, l: Locale): string => (from === to ? formatDate(from, l) : dates(l, 'UTC', { dateStyle: 'medium' }).formatRange(noon(from), noon(to)))
export const sayTime = (ms: number, l: Locale): string => dates(l, l.zone, { timeStyle: 'short' }).format(ms)
export function sayWhen(w: When, l: Locale): string {
  if (w.at === undefined || w.till === undefined) return sayDays(w.from, w.to, l)
  if (w.open) return formatInstant(new Date(w.at).toISOString(), l)
  return dates(l, l.zone, { dateStyle: 'medium', timeStyle: 'short' }).formatRange(w.at, w.till)
}
