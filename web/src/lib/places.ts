const CODES = 'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK'.split(' ')
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
