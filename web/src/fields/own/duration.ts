/** Whole minutes out of what people write: 90, 90m, 1:30, 1.5h, 1 h 30 min. Null where it is none. A twin of the server's. */
export function parseDuration(said: string): number | null {
  const s = said.trim().toLowerCase().replace(/,/g, '.')
  if (/^\d{1,9}$/.test(s)) return Number(s)
  const clock = /^(\d{1,7}):([0-5]\d)$/.exec(s)
  if (clock) return Number(clock[1]) * 60 + Number(clock[2])
  const words = /^(?:(\d{1,7}(?:\.\d+)?)\s*(?:h|hrs?|hours?|ч|час|сағ)\.?)?\s*(?:(\d{1,9}(?:\.\d+)?)\s*(?:m|mins?|minutes?|м|мин)\.?)?$/.exec(s)
  if (!s || !words || (words[1] === undefined && words[2] === undefined)) return null
  return Math.round(Number(words[1] ?? 0) * 60 + Number(words[2] ?? 0))
}
const unit = (n: number, unit: string, locale: string): string => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(n).replace(/\bhrs?\b/, 'h')
/** 1 h 30 min, in the words of the language. */
export function formatDuration(value: unknown, locale: string): string {
  const n = Number(value)
  if (value === null || value === undefined || value === '' || !Number.isFinite(n)) return value === null || value === undefined ? '' : String(value)
  const [hours, minutes] = [Math.floor(n / 60), Math.round(n % 60)]
  return [hours ? unit(hours, 'hour', locale) : '', minutes || !hours ? unit(minutes, 'minute', locale) : ''].filter(Boolean).join(' ')
}
