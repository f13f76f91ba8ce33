import { describe, expect, it } from 'vitest'
import { editDecimal, parseDecimal, trimZeros } from './decimal'

describe('parseDecimal', () => {
  it.each([
    ['1,234.50', 'en', '1234.50'],
    ['1 234,50', 'ru', '1234.50'],
    ['1234.5', 'ru', '1234.5'],
    ['-0,10', 'ru', '-0.10'],
    ['.5', 'en', '0.5'],
    ['007', 'en', '7'],
    ['99999999999999999999.123456', 'en', '99999999999999999999.123456'],
  ])('%s in %s is %s', (text, locale, expected) => {
    expect(parseDecimal(text, locale)).toBe(expected)
  })
  it.each(['', 'abc', '1-2', '1.2.3'])('%s is no number', (text) => {
    expect(parseDecimal(text, 'en')).toBeNull()
  })
})

it('shows what was stored, in the local way', () => {
  expect(editDecimal('1234.500000', 'ru')).toBe('1234,5')
  expect(editDecimal('12.000000', 'en', 2)).toBe('12.00')
  expect(trimZeros('100')).toBe('100')
})
