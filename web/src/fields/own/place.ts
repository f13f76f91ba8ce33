export const PLACES = ['street', 'city', 'region', 'postal_code', 'country'] as const
export type Address = Partial<Record<(typeof PLACES)[number], string>>
export const asAddress = (v: unknown): Address | null => (v && typeof v === 'object' && !Array.isArray(v) ? (v as Address) : typeof v === 'string' && v ? { street: v } : null)
/** Street; city; region and postal code; country: as they stand below each other on a letter. */
export function linesOf(v: unknown, locale: string): string[] {
  const a = asAddress(v)
  if (!a) return []
  const country = a.country && /^[A-Z]{2}$/.test(a.country) ? (new Intl.DisplayNames(locale, { type: 'region' }).of(a.country) ?? a.country) : a.country
  return [a.street, a.city, [a.region, a.postal_code].filter(Boolean).join(' '), country].filter((x): x is string => !!x)
}
