import { useMemo } from 'react'
import { useSession } from '@/api/session'
import { trimZeros } from './decimal'

export interface Locale {
  locale: string
  zone: string
  currency: string
}

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>()
function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(key: string, make: () => T): T {
  let f = cache.get(key) as T | undefined
  if (!f) cache.set(key, (f = make()))
  return f
}

type Exact = Intl.StringNumericLiteral
const isNumber = (v: string) => /^-?\d+(\.\d+)?$/.test(v)

export function formatNumber(value: unknown, l: Locale, o: { min?: number; max?: number; compact?: boolean } = {}): string {
  if (value === null || value === undefined || value === '') return ''
  const text = String(value)
  if (!isNumber(text)) return text
  const f = cached(`n${l.locale}|${o.min}|${o.max}|${o.compact}`, () =>
    new Intl.NumberFormat(l.locale, { minimumFractionDigits: o.min ?? 0, maximumFractionDigits: o.max ?? 6, ...(o.compact ? { notation: 'compact', maximumFractionDigits: 1 } : {}) }))
  return f.format(text as Exact)
}

export function formatMoney(value: unknown, l: Locale, currency?: string | null, compact = false): string {
  if (value === null || value === undefined || value === '') return ''
  const text = String(value)
  if (!isNumber(text)) return text
  const code = currency || l.currency
  // A money column may hold more digits than the currency shows (unit prices): they are never hidden.
  const digits = trimZeros(text).split('.')[1]?.length ?? 0
  try {
    const f = cached(`m${l.locale}|${code}|${compact}|${digits}`, () => {
      const plain = new Intl.NumberFormat(l.locale, { style: 'currency', currency: code, currencyDisplay: 'narrowSymbol' })
      if (compact) return new Intl.NumberFormat(l.locale, { style: 'currency', currency: code, currencyDisplay: 'narrowSymbol', notation: 'compact', maximumFractionDigits: 1 })
      const own = plain.resolvedOptions().maximumFractionDigits ?? 2
      return digits > own ? new Intl.NumberFormat(l.locale, { style: 'currency', currency: code, currencyDisplay: 'narrowSymbol', maximumFractionDigits: digits }) : plain
    })
    return f.format(text as Exact)
  } catch {
    return `${formatNumber(text, l, { min: 2 })} ${code}`
  }
}

export function formatPercent(value: unknown, l: Locale): string {
  if (value === null || value === undefined || value === '') return ''
  return l.locale.startsWith('ru') ? `${formatNumber(value, l, { max: 4 })} %` : `${formatNumber(value, l, { max: 4 })}%`
}

export function formatDate(value: unknown, l: Locale): string {
  if (typeof value !== 'string' || !value) return ''
  const d = new Date(value.slice(0, 10) + 'T00:00:00Z')
  if (Number.isNaN(+d)) return value
  return cached(`d${l.locale}`, () => new Intl.DateTimeFormat(l.locale, { dateStyle: 'medium', timeZone: 'UTC' })).format(d)
}

export function formatInstant(value: unknown, l: Locale): string {
  if (typeof value !== 'string' || !value) return ''
  const d = new Date(value)
  if (Number.isNaN(+d)) return value
  return cached(`t${l.locale}|${l.zone}`, () => new Intl.DateTimeFormat(l.locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: l.zone })).format(d)
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [['year', 31536e6], ['month', 2592e6], ['day', 864e5], ['hour', 36e5], ['minute', 6e4]]
export function formatAgo(value: unknown, l: Locale): string {
  if (typeof value !== 'string' || !value) return ''
  const diff = +new Date(value) - Date.now()
  const f = cached(`r${l.locale}`, () => new Intl.RelativeTimeFormat(l.locale, { numeric: 'auto' }))
  for (const [unit, ms] of STEPS) if (Math.abs(diff) >= ms) return f.format(Math.round(diff / ms), unit)
  return f.format(0, 'minute')
}

export function formatBytes(n: number, l: Locale): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte']
  let i = 0
  let v = n
  while (v >= 1000 && i < 3) { v /= 1000; i++ }
  return new Intl.NumberFormat(l.locale, { style: 'unit', unit: units[i], unitDisplay: 'short', maximumFractionDigits: i ? 1 : 0 }).format(v)
}

/** A wall-clock time in the person's zone ("2026-11-21T10:30") to the instant it names, and back. */
export function instantToLocal(value: string, zone: string): string {
  const d = new Date(value)
  if (Number.isNaN(+d)) return ''
  const f = cached(`w${zone}`, () => new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }))
  return f.format(d).replace(' ', 'T')
}
export function localToInstant(wall: string, zone: string): string | null {
  const asUtc = new Date(wall + 'Z')
  if (Number.isNaN(+asUtc)) return null
  let guess = +asUtc
  for (let i = 0; i < 3; i++) {
    const shown = +new Date(instantToLocal(new Date(guess).toISOString(), zone) + 'Z')
    if (shown === +asUtc) break
    guess += +asUtc - shown
  }
  return new Date(guess).toISOString()
}

export function useLocale(): Locale {
  const { me } = useSession()
  const locale = me?.user.locale || document.documentElement.lang || 'en'
  const zone = safeZone(me?.user.time_zone || me?.organization?.time_zone)
  const currency = me?.organization?.currency || 'USD'
  return useMemo(() => ({ locale: safeLocale(locale), zone, currency }), [locale, zone, currency])
}

function safeLocale(l: string): string {
  try { return Intl.getCanonicalLocales(l.replace('_', '-'))[0] ?? 'en' } catch { return 'en' }
}
// Every cell asks, and a formatter is dear to make.
const zones = new Map<string, string>()
function safeZone(z?: string | null): string {
  const name = z || ''
  let zone = zones.get(name)
  if (zone === undefined) {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone
    try { zone = z && new Intl.DateTimeFormat('en', { timeZone: z }).resolvedOptions().timeZone ? z : own } catch { zone = own }
    zones.set(name, zone)
  }
  return zone
}
