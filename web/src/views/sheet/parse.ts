import { parseDuration } from '@/fields/own/duration'
import { parseDecimal, trimZeros } from '@/lib/decimal'
import { instantToLocal, localToInstant, type Locale } from '@/lib/format'
import type { Field } from '@/meta/types'

/** What a spreadsheet puts on the clipboard: tabs and lines, cells with either of them in quotes. */
export function readBlock(text: string): string[][] {
  const rows: string[][] = [[]]
  let cell = ''
  let quoted = false
  let begun = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[i + 1] === '"') { cell += '"'; i++ } else quoted = false
    } else if (c === '"' && !begun) { quoted = true; begun = true }
    else if (c === '\t') { rows.at(-1)!.push(cell); cell = ''; begun = false }
    else if (c === '\n' || c === '\r') { if (c === '\r' && text[i + 1] === '\n') i++; rows.at(-1)!.push(cell); cell = ''; begun = false; rows.push([]) }
    else { cell += c; begun = true }
  }
  rows.at(-1)!.push(cell)
  // The last line ends with a line's end too.
  if (rows.length > 1 && rows.at(-1)!.length === 1 && rows.at(-1)![0] === '') rows.pop()
  return rows
}
export const writeBlock = (rows: string[][]): string => rows.map((r) => r.map((c) => (/["\t\n\r]/.test(c) ? `"${c.replaceAll('"', '""')}"` : c)).join('\t')).join('\n')

export type Parsed = { value: unknown } | { problem: string } | { look: string }

const ORDER = new Map<string, string>()
/** Whether the day or the month comes first where the person sits. */
const orderOf = (locale: string): string => {
  let o = ORDER.get(locale)
  if (!o) ORDER.set(locale, (o = new Intl.DateTimeFormat(locale).formatToParts(new Date(Date.UTC(2026, 10, 21))).flatMap((p) => (/^(day|month|year)$/.test(p.type) ? [p.type[0]!] : [])).join('')))
  return o
}
const months = (locale: string): Map<string, number> => new Map(['short', 'long'].flatMap((month) => Array.from({ length: 12 }, (_, m): [string, number][] => [locale, 'en'].flatMap((l): [string, number][] =>
  [{ month }, { month, day: 'numeric' }].map((o): [string, number] => [new Intl.DateTimeFormat(l, { ...o, timeZone: 'UTC' } as Intl.DateTimeFormatOptions).formatToParts(new Date(Date.UTC(2026, m, 2))).find((p) => p.type === 'month')!.value.toLowerCase().replace('.', ''), m + 1]))).flat()))

export function readDate(text: string, locale: string): string | null {
  const s = text.trim()
  let y = 0; let m = 0; let d = 0
  const numbers = s.split(/[^\d]+/).filter(Boolean)
  const word = s.toLowerCase().match(/\p{L}{3,}/u)?.[0]
  if (/^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}$/.test(s)) [y, m, d] = numbers.map(Number) as [number, number, number]
  else if (/^\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}$/.test(s)) {
    const [a, b, c] = numbers.map(Number) as [number, number, number]
    // A point is a European's; with a slash the person's own order holds, unless it cannot.
    const monthFirst = s.includes('/') && orderOf(locale).startsWith('m') ? b <= 31 && a <= 12 : a <= 12 && b > 12
    ;[d, m, y] = monthFirst ? [b, a, c] : [a, b, c]
  } else if (word && numbers.length === 2 && numbers.some((n) => n.length === 4)) {
    const year = numbers.find((n) => n.length === 4)!
    y = Number(year); d = Number(numbers.find((n) => n !== year)); m = months(locale).get(word) ?? 0
  } else return null
  if (y < 100 && numbers.at(-1)!.length === 2) y += y < 70 ? 2000 : 1900
  const at = new Date(Date.UTC(y, m - 1, d))
  return y >= 1000 && at.getUTCMonth() === m - 1 && at.getUTCDate() === d ? at.toISOString().slice(0, 10) : null
}

export function readInstant(text: string, l: Locale): string | null {
  const s = text.trim()
  if (/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(s)) return Number.isNaN(+new Date(s)) ? null : s
  const time = s.match(/[ T,]+(\d{1,2}):(\d\d)(?::\d\d(?:\.\d+)?)?\s*([ap])?\.?\s?m?\.?$/i)
  const day = readDate(time ? s.slice(0, time.index).replace(/,$/, '') : s, l.locale)
  if (!day) return null
  let hour = time ? Number(time[1]) : 0
  if (time?.[3]) hour = (hour % 12) + (time[3].toLowerCase() === 'p' ? 12 : 0)
  return hour > 23 || (time && Number(time[2]) > 59) ? null : localToInstant(`${day}T${String(hour).padStart(2, '0')}:${time?.[2] ?? '00'}`, l.zone)
}

/** "$1,234.50", "12 %", "(5)": what a table of numbers looks like elsewhere. */
export function readNumber(text: string, locale: string): string | null {
  let s = text.replace(/\p{Sc}|[%٪]|\b[A-Z]{3}\b/gu, '').trim()
  if (/^\(.*\)$/.test(s)) s = '-' + s.slice(1, -1)
  return parseDecimal(s, locale) ?? parseDecimal(s, 'en')
}

const YES = new Set(['true', 'yes', 'y', '1', '+', 'x', '✓', 'да', 'истина', 'иә'])
const NO = new Set(['false', 'no', 'n', '0', '-', '–', '', 'нет', 'ложь', 'жоқ'])

/** A cell's text as its field understands it. Relations are only named: who that is, the server knows. */
export function readCell(f: Field, text: string, l: Locale): Parsed {
  const s = f.type === 'text' || f.type === 'textarea' || f.type === 'richtext' ? text : text.trim()
  if (s === '' && f.type !== 'boolean') return { value: null }
  switch (f.type) {
    case 'number': case 'money': case 'percent': case 'quantity': case 'integer': {
      const n = readNumber(s, l.locale)
      if (n === null) return { problem: 'sheet.notNumber' }
      if (f.type !== 'integer') return { value: n }
      const whole = trimZeros(n)
      return /^-?\d{1,15}$/.test(whole) ? { value: Number(whole) } : { problem: 'sheet.notWhole' }
    }
    case 'date': { const d = readDate(s, l.locale) ?? readInstant(s, l)?.slice(0, 10); return d ? { value: d } : { problem: 'sheet.notDate' } }
    case 'datetime': { const d = readInstant(s, l); return d ? { value: d } : { problem: 'sheet.notDate' } }
    case 'boolean': { const b = s.toLowerCase(); return YES.has(b) ? { value: true } : NO.has(b) ? { value: false } : { problem: 'sheet.notBoolean' } }
    case 'select': { const id = option(f, s); return id ? { value: id } : f.options?.length ? { problem: 'sheet.notOption' } : { value: s } }
    case 'multiselect': {
      const parts = s.split(/[,;]/).map((x) => x.trim()).filter(Boolean)
      const ids = parts.map((x) => option(f, x))
      return ids.every((x) => x !== undefined) ? { value: ids } : { problem: 'sheet.notOption' }
    }
    case 'tags': return { value: [...new Set(s.split(/[,;]/).map((x) => x.trim()).filter(Boolean))] }
    case 'relation': case 'user': return f.ref ? { look: s } : { value: s }
    case 'rating': { const n = Number(s.split('/')[0]); return Number.isInteger(n) && n >= 0 && n <= Number(f.max ?? 5) ? { value: n } : { problem: 'sheet.notWhole' } }
    case 'duration': { const n = parseDuration(s); return n === null ? { problem: 'sheet.notNumber' } : { value: n } }
    case 'json': case 'file': case 'location': case 'signature': case 'users': return { problem: 'sheet.notHere' }
    default: return { value: s }
  }
}
const option = (f: Field, s: string): string | undefined => f.options?.find((o) => o.id === s || o.label.toLowerCase() === s.toLowerCase() || o.id.toLowerCase() === s.toLowerCase())?.id

/** Whether a cell would be as it was: 1.50 is 1.5, nothing is nothing. */
export function same(f: Field, a: unknown, b: unknown): boolean {
  const plain = (v: unknown): unknown => {
    if (v === undefined || v === null || v === '' || (Array.isArray(v) && !v.length)) return null
    if (/^(number|money|percent|quantity|integer|rating|duration)$/.test(f.type)) return trimZeros(String(v))
    if (f.type === 'datetime' && typeof v === 'string') return +new Date(v)
    return v
  }
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b))
}

/** A cell as a spreadsheet takes it: numbers without their currency, days as the whole world writes them. */
export function writeCell(f: Field, value: unknown, l: Locale, format: (v: unknown) => string, number: (v: unknown) => string): string {
  if (value === null || value === undefined) return ''
  if (/^(number|money|percent|quantity|integer)$/.test(f.type)) return number(value)
  if (f.type === 'date') return String(value).slice(0, 10)
  if (f.type === 'time' || f.type === 'daterange') return String(value)
  if (f.type === 'datetime') return instantToLocal(String(value), l.zone).replace('T', ' ')
  return format(value)
}
