import i18next from 'i18next'
import { formatDate, formatNumber, type Locale } from '@/lib/format'

export const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const
export type Frequency = 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY'
/** A rule of RFC 5545 as the editor knows it; what it does not know is kept as it is in `rest`. */
export interface Rule { freq: Frequency; interval: number; days: string[]; monthDays: number[]; months: number[]; count: number | null; until: string | null; except: string[]; rest: string[] }

const iso = (s: string): string => `${s.slice(0, 4)}-${s.slice(4, 6)}-${s.slice(6, 8)}`
const plain = (day: string): string => day.replace(/-/g, '')

export function parseRule(text: unknown): Rule | null {
  const [first = '', ...lines] = String(text ?? '').split('\n')
  const parts = first.replace(/^RRULE:/, '').split(';').map((p) => p.split('=') as [string, string])
  const get = (name: string) => parts.find(([n]) => n === name)?.[1]
  const freq = get('FREQ') as Frequency | undefined
  if (!freq || !['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'].includes(freq)) return null
  const list = (name: string) => get(name)?.split(',').filter(Boolean) ?? []
  const until = get('UNTIL')
  return {
    freq, interval: Number(get('INTERVAL') ?? 1), days: list('BYDAY'), monthDays: list('BYMONTHDAY').map(Number), months: list('BYMONTH').map(Number),
    count: get('COUNT') ? Number(get('COUNT')) : null, until: until ? iso(until) : null,
    except: lines.filter((l) => l.startsWith('EXDATE')).flatMap((l) => l.slice(l.indexOf(':') + 1).split(',')).map(iso),
    rest: parts.filter(([n]) => ['BYSETPOS', 'WKST'].includes(n)).map((p) => p.join('=')),
  }
}

export function formatRule(r: Rule): string {
  const list = (name: string, all: (string | number)[]) => (all.length ? `${name}=${all.join(',')}` : '')
  const rule = [`FREQ=${r.freq}`, r.interval > 1 ? `INTERVAL=${r.interval}` : '', list('BYMONTH', r.months), list('BYMONTHDAY', r.monthDays), list('BYDAY', r.days), ...r.rest, r.count ? `COUNT=${r.count}` : r.until ? `UNTIL=${plain(r.until)}` : '']
  return rule.filter(Boolean).join(';') + (r.except.length ? `\nEXDATE:${[...new Set(r.except)].sort().map(plain).join(',')}` : '')
}

/** The rule without one of its days. */
export const skipping = (text: unknown, day: string): string | null => { const r = parseRule(text); return r && formatRule({ ...r, except: [...r.except, day] }) }

const utc = (day: string): Date => new Date(day + 'T00:00:00Z')
const addDays = (day: string, n: number): string => { const d = utc(day); d.setUTCDate(d.getUTCDate() + n); return d.toISOString().slice(0, 10) }
const nameOf = (day: string): string => DAYS[(utc(day).getUTCDay() + 6) % 7]!

/** The rule of a series that begins so many days later, on `first`: its weekdays and days of the month go with it. */
export function shifted(text: unknown, n: number, first: string): string | null {
  const r = parseRule(text)
  if (!r || n === 0) return r && String(text)
  const weekday = (d: string) => DAYS[(((DAYS.indexOf(d.slice(-2) as (typeof DAYS)[number]) + n) % 7) + 7) % 7]!
  const byNumber = r.days.some((d) => d.length > 2)
  const days = !byNumber ? r.days.map(weekday) : r.days.length === 1 ? [`${r.days[0]!.startsWith('-') ? -1 : Math.ceil(Number(first.slice(8)) / 7)}${nameOf(first)}`] : r.days
  return formatRule({
    ...r, days, months: r.months.length === 1 ? [Number(first.slice(5, 7))] : r.months,
    monthDays: r.monthDays.length === 1 && r.monthDays[0]! > 0 ? [Number(first.slice(8))] : r.monthDays, except: r.except.map((d) => addDays(d, n)),
  })
}

// The second of January 2023 was a Monday.
export const dayName = (d: string, locale: string): string => new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(utc(`2023-01-0${DAYS.indexOf(d.slice(-2) as (typeof DAYS)[number]) + 2}`))
export const monthName = (m: number, locale: string): string => new Intl.DateTimeFormat(locale, { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2023, m - 1, 1))

/** The rule as a sentence. What the editor has no words for is shown as it is written. */
export function sentence(text: unknown, l: Locale): string {
  const r = parseRule(text)
  if (!r || r.rest.some((p) => p.startsWith('BYSETPOS')) || (r.freq === 'DAILY' && (r.days.length || r.monthDays.length)) || r.monthDays.some((d) => d < -1) || r.days.some((d) => Number(d.slice(0, -2)) < -1)) return String(text ?? '')
  const t = i18next.t
  const and = new Intl.ListFormat(l.locale, { type: 'conjunction' })
  const n = (x: number) => formatNumber(x, l)
  let said: string = r.interval > 1 ? t(`rec.n${r.freq}`, { count: r.interval, n: n(r.interval) }) : t(`rec.${r.freq}`)
  const nth = (d: string) => { const k = d.slice(0, -2); const day = dayName(d, l.locale); return k === '' ? day : k.startsWith('-') ? t('rec.last', { day }) : t(`rec.nth${k.replace('+', '')}`, { day }) }
  const days = [...r.monthDays.map((d) => (d === -1 ? t('rec.lastDay') : t('rec.day', { n: d }))), ...r.days.map(nth)]
  const months = r.months.map((m) => monthName(m, l.locale))
  if (days.length || months.length) said = t('rec.on', { every: said, days: [days.length ? and.format(days) : '', months.length ? `(${and.format(months)})` : ''].filter(Boolean).join(' ') })
  if (r.count) said = t('rec.times', { rule: said, count: r.count, n: n(r.count) })
  else if (r.until) said = t('rec.until', { rule: said, day: formatDate(r.until, l) })
  return r.except.length ? t('rec.except', { rule: said, count: r.except.length, n: n(r.except.length) }) : said
}
