const CODES = 'AE AF AL AM AO AR AT AU AZ BA BD BE BG BH BO BR BY CA CH CL CN CO CR CY CZ DE DK DO DZ EC EE EG ES ET FI FR GB GE GH GR GT HK HN HR HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KR KW KZ LA LB LK LT LU LV MA MD ME MK MM MN MT MX MY NG NI NL NO NP NZ OM PA PE PH PK PL PT PY QA RO RS RU RW SA SE SG SI SK SN SV TH TJ TM TN TR TW TZ UA UG US UY UZ VE VN YE ZA ZM ZW'.split(' ')
const EURO = new Set('AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV ME MT NL PT SI SK'.split(' '))
const MONEY: Record<string, string> = { AE: 'AED', AM: 'AMD', AR: 'ARS', AU: 'AUD', AZ: 'AZN', BG: 'EUR', BR: 'BRL', BY: 'BYN', CA: 'CAD', CH: 'CHF', CL: 'CLP', CN: 'CNY', CO: 'COP', CZ: 'CZK', DK: 'DKK', EG: 'EGP', GB: 'GBP', GE: 'GEL', HK: 'HKD', HU: 'HUF', ID: 'IDR', IL: 'ILS', IN: 'INR', IS: 'ISK', JP: 'JPY', KE: 'KES', KG: 'KGS', KR: 'KRW', KZ: 'KZT', MD: 'MDL', MN: 'MNT', MX: 'MXN', MY: 'MYR', NG: 'NGN', NO: 'NOK', NZ: 'NZD', PE: 'PEN', PH: 'PHP', PK: 'PKR', PL: 'PLN', RO: 'RON', RS: 'RSD', RU: 'RUB', SA: 'SAR', SE: 'SEK', SG: 'SGD', TH: 'THB', TJ: 'TJS', TM: 'TMT', TR: 'TRY', TW: 'TWD', UA: 'UAH', US: 'USD', UZ: 'UZS', VN: 'VND', ZA: 'ZAR' }

export const currencyOfCountry = (country: string): string => (EURO.has(country) ? 'EUR' : MONEY[country] ?? 'USD')
const ZONES: Record<string, string> = { 'Asia/Almaty': 'KZ', 'Asia/Qyzylorda': 'KZ', 'Asia/Aqtau': 'KZ', 'Europe/Moscow': 'RU', 'Europe/London': 'GB', 'Europe/Berlin': 'DE', 'Europe/Paris': 'FR', 'America/New_York': 'US', 'America/Los_Angeles': 'US', 'America/Chicago': 'US', 'Asia/Tashkent': 'UZ', 'Asia/Bishkek': 'KG' }

export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
export const ownCountry = (): string => ZONES[ownZone()] ?? navigator.language.split('-')[1]?.toUpperCase() ?? 'US'

export function countries(locale: string): { id: string; label: string }[] {
  const names = new Intl.DisplayNames(locale, { type: 'region' })
  return CODES.map((id) => ({ id, label: names.of(id) ?? id })).sort((a, b) => a.label.localeCompare(b.label, locale))
}
export function currencies(locale: string): { id: string; label: string }[] {
  const names = new Intl.DisplayNames(locale, { type: 'currency' })
  return [...new Set([...Object.values(MONEY), 'EUR'])].sort().map((id) => ({ id, label: `${id} · ${names.of(id) ?? id}` }))
}
export function zones(): string[] {
  const all = Intl.supportedValuesOf('timeZone')
  return all.includes('UTC') ? all : ['UTC', ...all]
}
