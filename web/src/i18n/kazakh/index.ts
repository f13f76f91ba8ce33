// Chromium is built without the Kazakh part of ICU: it writes "2026 M11 22" and "1,234.5". Where it is so, this is what
// CLDR says of Kazakh; what it has in common with Russian (separators, order of the time) is left to that.
import names from './names.json'

const MONTHS = ['қаңтар', 'ақпан', 'наурыз', 'сәуір', 'мамыр', 'маусым', 'шілде', 'тамыз', 'қыркүйек', 'қазан', 'қараша', 'желтоқсан']
const MONTHS_SHORT = ['қаң.', 'ақп.', 'нау.', 'сәу.', 'мам.', 'мау.', 'шіл.', 'там.', 'қыр.', 'қаз.', 'қар.', 'жел.']
const DAYS = ['жексенбі', 'дүйсенбі', 'сейсенбі', 'сәрсенбі', 'бейсенбі', 'жұма', 'сенбі']
const DAYS_SHORT = ['жс', 'дс', 'сс', 'ср', 'бс', 'жм', 'сб']
const DAYS_EN = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
/** One, after so many, and what is now, was and comes. */
const SPANS: Record<string, [string, string, string, string?, string?]> = {
  year: ['жыл', 'жылдан', 'биылғы жыл', 'былтырғы жыл', 'келесі жыл'], quarter: ['тоқсан', 'тоқсаннан', 'осы тоқсан', 'өткен тоқсан', 'келесі тоқсан'], month: ['ай', 'айдан', 'осы ай', 'өткен ай', 'келесі ай'],
  week: ['апта', 'аптадан', 'осы апта', 'өткен апта', 'келесі апта'], day: ['күн', 'күннен', 'бүгін', 'кеше', 'ертең'], hour: ['сағат', 'сағаттан', 'осы сағат'], minute: ['минут', 'минуттан', 'осы минут'], second: ['секунд', 'секундтан', 'қазір'],
}

const Native = { DateTimeFormat: Intl.DateTimeFormat, NumberFormat: Intl.NumberFormat, RelativeTimeFormat: Intl.RelativeTimeFormat, DisplayNames: Intl.DisplayNames }
type Locales = string | readonly string[] | undefined
const isKazakh = (l: unknown): boolean => /^kk\b/i.test(String(Array.isArray(l) ? l[0] : l ?? ''))
const say = (parts: { value: string }[]): string => parts.map((p) => p.value).join('')

function dates(o: Intl.DateTimeFormatOptions = {}): Intl.DateTimeFormat {
  const made = new Native.DateTimeFormat('ru', o)
  const plain = made.formatToParts.bind(made)
  const { timeZone } = made.resolvedOptions()
  const index = new Native.DateTimeFormat('en', { month: 'numeric', weekday: 'short', timeZone })
  const full = o.dateStyle === 'full' || o.dateStyle === 'long'
  const formatToParts = (d?: Date | number): Intl.DateTimeFormatPart[] => {
    const parts = plain(d)
    const of = (type: string) => parts.find((p) => p.type === type)?.value
    const month = of('month')
    const when = index.formatToParts(d)
    const which = (type: string) => when.find((p) => p.type === type)!.value
    const short = o.weekday ?? (o.dateStyle === 'full' ? 'long' : undefined)
    const at = DAYS_EN.indexOf(which('weekday'))
    const weekday = of('weekday') && (short === 'long' ? DAYS[at]! : short === 'narrow' ? DAYS[at]!.slice(0, 1).toUpperCase() : DAYS_SHORT[at]!)
    if (month && /^\d/.test(month) || (!month && !weekday)) return parts
    const out: Intl.DateTimeFormatPart[] = []
    const add = (between: string, type: Intl.DateTimeFormatPartTypes, value: string | undefined) => { if (value) out.push(...(out.length && between ? [{ type: 'literal' as const, value: between }] : []), { type, value }) }
    const day = of('day')
    const year = of('year')
    add('', 'year', year)
    if (year) out.push({ type: 'literal', value: ' ж.' })
    add(' ', 'day', day && o.dateStyle === 'medium' ? day.padStart(2, '0') : day)
    const n = +which('month') - 1
    const alone = month && !day && !year
    const long = full || o.month === 'long' ? MONTHS[n]! : o.month === 'narrow' ? MONTHS[n]!.slice(0, 1) : MONTHS_SHORT[n]!
    add(' ', 'month', month && (alone && o.month !== 'short' ? long.slice(0, 1).toUpperCase() + long.slice(1) : long))
    add(', ', 'weekday', weekday)
    const time = parts.findIndex((p) => p.type === 'hour' || p.type === 'minute')
    if (time >= 0) out.push({ type: 'literal', value: ', ' }, ...parts.slice(time))
    return out
  }
  const format = (d?: Date | number) => say(formatToParts(d))
  const resolved = { ...made.resolvedOptions(), locale: 'kk' }
  return Object.defineProperties(made, { format: { value: format }, formatToParts: { value: formatToParts }, formatRange: { value: (a: Date, b: Date) => `${format(a)} – ${format(b)}` }, resolvedOptions: { value: () => resolved } })
}

function numbers(o: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const made = new Native.NumberFormat('ru', o)
  const plain = made.formatToParts.bind(made)
  const formatToParts = (n?: number | bigint | Intl.StringNumericLiteral) => {
    const parts = plain(n as number).map((p) => (p.type === 'compact' ? { ...p, value: p.value.replace('тыс.', 'мың') } : p))
    return o.style === 'percent' ? parts.filter((p) => p.type !== 'literal') : parts
  }
  const resolved = { ...made.resolvedOptions(), locale: 'kk' }
  return Object.defineProperties(made, { format: { value: (n: number) => say(formatToParts(n)) }, formatToParts: { value: formatToParts }, resolvedOptions: { value: () => resolved } })
}

function ago(o: Intl.RelativeTimeFormatOptions = {}): Intl.RelativeTimeFormat {
  const made = new Native.RelativeTimeFormat('ru', o)
  const count = numbers()
  const format = (n: number, unit: string) => {
    const [one, after, now, was, comes] = SPANS[unit.replace(/s$/, '')]!
    if (o.numeric === 'auto') {
      const word = n === 0 ? now : n === -1 ? was : n === 1 ? comes : undefined
      if (word) return word
    }
    return n < 0 || Object.is(n, -0) ? `${count.format(-n)} ${one} бұрын` : `${count.format(n)} ${after} кейін`
  }
  return Object.defineProperties(made, { format: { value: format } })
}

function called(o: Intl.DisplayNamesOptions): Intl.DisplayNames {
  const made = new Native.DisplayNames('ru', o)
  const known: Record<string, string> = o.type === 'region' ? names.region : o.type === 'currency' ? names.currency : {}
  const of = made.of.bind(made)
  return Object.defineProperties(made, { of: { value: (code: string) => known[code.toUpperCase()] ?? of(code) } })
}

const instead = <T extends object>(native: T, make: (o: never) => object): T => new Proxy(native, {
  construct: (target, [l, o]: [Locales, never]) => (isKazakh(l) ? make(o) : Reflect.construct(target as never, [l, o])) as object,
  apply: (target, _, [l, o]: [Locales, never]) => (isKazakh(l) ? make(o) : Reflect.construct(target as never, [l, o])),
})

export const Kazakh = {
  DateTimeFormat: instead(Native.DateTimeFormat, dates), NumberFormat: instead(Native.NumberFormat, numbers),
  RelativeTimeFormat: instead(Native.RelativeTimeFormat, ago), DisplayNames: instead(Native.DisplayNames, called),
}
export const learn = (): void => { Object.assign(Intl, Kazakh) }
