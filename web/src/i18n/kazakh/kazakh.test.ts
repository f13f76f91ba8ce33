import { expect, it } from 'vitest'
import { Kazakh } from '.'

// Node knows Kazakh whole, so that what is taught to a browser without it is compared with that.
const plain = (s: string) => s.replace(/\s/g, ' ')
const moment = new Date('2026-11-05T09:05:00Z')

it('dates are written as CLDR writes them', () => {
  const forms: Intl.DateTimeFormatOptions[] = [
    { dateStyle: 'full' }, { dateStyle: 'long' }, { dateStyle: 'medium' }, { dateStyle: 'medium', timeStyle: 'short' }, { month: 'long', year: 'numeric' }, { month: 'short', year: 'numeric' }, { month: 'short', day: 'numeric' }, { month: 'long', day: 'numeric' },
    { weekday: 'short', day: 'numeric', month: 'short' }, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }, { weekday: 'long' }, { weekday: 'short' }, { weekday: 'narrow' }, { weekday: 'short', day: 'numeric' }, { month: 'long' }, { month: 'short' }, { month: 'narrow' },
    { year: 'numeric', month: '2-digit', day: '2-digit' }, { hour: '2-digit', minute: '2-digit' }, { day: 'numeric' }, { year: 'numeric' },
  ]
  for (const o of forms) for (let m = 0; m < 12; m++) {
    const d = new Date(Date.UTC(2026, m, 5 + m, 9, 5))
    const native = new Intl.DateTimeFormat('kk', { ...o, timeZone: 'UTC' })
    const ours = new Kazakh.DateTimeFormat('kk-KZ', { ...o, timeZone: 'UTC' })
    expect(plain(ours.format(d)), JSON.stringify(o)).toBe(plain(native.format(d)))
    expect(ours.formatToParts(d).map((p) => p.value).join('')).toBe(ours.format(d))
  }
})
it('numbers, sums and parts of a hundred', () => {
  for (const o of [{}, { minimumFractionDigits: 2 }, { style: 'currency', currency: 'KZT', currencyDisplay: 'narrowSymbol' }, { style: 'percent' }, { notation: 'compact' }] as Intl.NumberFormatOptions[]) for (const n of [0, 0.5, -12, 999, 12345, 1234567.891, 12345678900]) {
    expect(plain(new Kazakh.NumberFormat('kk', o).format(n)), `${JSON.stringify(o)} ${n}`).toBe(plain(new Intl.NumberFormat('kk', o).format(n)))
  }
})
it('how long ago', () => {
  for (const unit of ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const) for (const n of [-5, -1, 0, 1, 30]) {
    for (const numeric of ['auto', 'always'] as const) expect(new Kazakh.RelativeTimeFormat('kk', { numeric }).format(n, unit)).toBe(new Intl.RelativeTimeFormat('kk', { numeric }).format(n, unit))
  }
})
it('countries and currencies', () => {
  for (const [type, codes] of [['region', ['KZ', 'DE', 'US', 'KG']], ['currency', ['KZT', 'USD', 'EUR']]] as const) for (const code of codes) {
    expect(new Kazakh.DisplayNames('kk', { type }).of(code)).toBe(new Intl.DisplayNames('kk', { type }).of(code))
  }
})
it('other languages are left as they are', () => {
  expect(new Kazakh.DateTimeFormat('ru', { dateStyle: 'medium', timeZone: 'UTC' }).format(moment)).toBe(new Intl.DateTimeFormat('ru', { dateStyle: 'medium', timeZone: 'UTC' }).format(moment))
  expect(Kazakh.DateTimeFormat().resolvedOptions().timeZone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone)
  expect(Kazakh.NumberFormat.supportedLocalesOf(['kk'])).toEqual(['kk'])
})
