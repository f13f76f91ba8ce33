import { expect, it } from 'vitest'
import { formatDate, formatMoney, formatPercent, instantToLocal, localToInstant } from './format'

const en = { locale: 'en', zone: 'Asia/Almaty', currency: 'KZT' }
const ru = { ...en, locale: 'ru' }
const plain = (s: string) => s.replace(/\s/g, ' ')

it('money follows the locale and keeps every digit that was stored', () => {
  expect(formatMoney('46317.900000', en)).toBe('₸46,317.90')
  expect(plain(formatMoney('314701.80', ru))).toBe('314 701,80 ₸')
  expect(formatMoney('0.123400', en, 'USD')).toBe('$0.1234')
  expect(formatMoney('99999999999999.99', en, 'USD')).toBe('$99,999,999,999,999.99')
  expect(formatMoney('1', en, 'WRONG')).toContain('WRONG')
})
it('a date has no zone', () => {
  expect(formatDate('2027-03-07', en)).toBe('Mar 7, 2027')
})
it('percent', () => {
  expect(formatPercent('12.5', en)).toBe('12.5%')
})
it('Kazakh is written as in Kazakhstan', () => {
  const kk = { ...en, locale: 'kk' }
  expect(plain(formatMoney('1265793.29', kk))).toBe('1 265 793,29 ₸')
  expect(formatPercent('12.5', kk)).toBe('12,5%')
  expect(formatDate('2026-11-05', kk)).toBe('2026 ж. 05 қар.')
  expect(formatDate('2026-11-05', { ...kk, locale: 'kk-KZ' })).toBe('2026 ж. 05 қар.')
})
it('wall clock and instant agree, in summer time too', () => {
  expect(localToInstant('2026-07-01T10:30', 'Europe/Berlin')).toBe('2026-07-01T08:30:00.000Z')
  expect(instantToLocal('2026-07-01T08:30:00Z', 'Europe/Berlin')).toBe('2026-07-01T10:30')
})
