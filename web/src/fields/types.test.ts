import { expect, it } from 'vitest'
import { checks } from '@/fields/own/checkdigit'
import { compile } from '@/lib/condition'
import { formatDuration, parseDuration } from '@/fields/own/duration'
import { kilometres, parsePlace } from '@/fields/own/location'
import { prefix, unmarked, wrap } from '@/fields/own/marks'
import type { Field } from '@/meta/types'
import { own } from './own'
import { filled } from './own/bars'
import { linkOf } from './own/link'
import { pathOf } from './own/parts/squares'
import { linesOf } from './own/place'
import { typeOf } from './registry'

const l = { locale: 'en', zone: 'Asia/Almaty', currency: 'KZT' }
const field = (type: string, more: Partial<Field> = {}): Field => ({ name: 'x', label: 'X', type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: true, unique: false, ...more })
const shown = (type: string, v: unknown, more?: Partial<Field>) => own[type]!.format(v, field(type, more), l)

it('a duration is read as people write it, and told in hours', () => {
  for (const s of ['90', '90m', '1:30', '1.5h', '1,5 h', '1 h 30 min', '1h30m', '1 ч 30 мин']) expect(parseDuration(s), s).toBe(90)
  for (const s of ['', 'soon', '1:60', '-5', 'h', '1.5', '30m 1h']) expect(parseDuration(s), s).toBeNull()
  expect([formatDuration(90, 'en'), formatDuration('45', 'en'), formatDuration(0, 'en'), formatDuration(120, 'en'), formatDuration(null, 'en')]).toEqual(['1 h 30 min', '45 min', '0 min', '2 h', ''])
  expect(formatDuration(90, 'ru').replace(/\s/g, ' ')).toBe('1 ч 30 мин')
  for (const n of [5, 60, 90, 6000]) expect(parseDuration(formatDuration(n, 'en').replace(/\d,\d/g, (x) => x.replace(',', '')))).toBe(n)
})
it('a place is read as maps write it', () => {
  expect(parsePlace('43.238949, 76.889709, Almaty, centre')).toEqual({ lat: 43.238949, lon: 76.889709, label: 'Almaty, centre' })
  expect(parsePlace('-33.5 151')).toEqual({ lat: -33.5, lon: 151 })
  for (const s of ['', '91, 0', '0, 181', 'north', '1']) expect(parsePlace(s), s).toBeNull()
  expect(Math.round(kilometres({ lat: 43.25, lon: 76.95 }, { lat: 51.1605, lon: 71.4704 }))).toBeGreaterThan(950)
  const near = compile({ field: 'x', operator: 'within_km', value: { lat: 43.2, lon: 76.9, km: 20 } }, () => 'json', { now: new Date(), zone: 'UTC' })
  expect([near({ x: { lat: 43.24, lon: 76.89 } }), near({ x: { lat: 51, lon: 71 } }), near({ x: null })]).toEqual([true, false, false])
})
it('the last digit of a code checks the others', () => {
  expect([checks('4006381333931'), checks('4006381333932'), checks('96385074'), checks('036000291452'), checks('hello'), checks('123')]).toEqual([true, false, true, true, null, null])
})
it('marks go on and off', () => {
  expect(wrap('a word', 2, 6, '**')).toEqual({ text: 'a **word**', from: 4, to: 8 })
  expect(wrap('a **word**', 4, 8, '**')).toEqual({ text: 'a word', from: 2, to: 6 })
  expect(prefix('one\ntwo', 0, 7, '- ').text).toBe('- one\n- two')
  expect(prefix('- one\n- two', 0, 11, '- ').text).toBe('one\ntwo')
  expect(unmarked('# Hello\n**bold** *soft* [in](https://x.test)\n- one')).toBe('Hello · bold soft in · one')
})
it('each type tells its value', () => {
  expect([shown('rating', 4), shown('rating', '7', { max: 10 }), shown('duration', 90), shown('color', '#ffaa00'), shown('location', { lat: 1, lon: 2 }), shown('location', { lat: 1, lon: 2, label: 'Home' }), shown('location', { lat: 1, lon: 2, km: 5 }), shown('richtext', '**a**'), shown('country', 'KZ'), shown('timezone', 'America/New_York'), shown('barcode', '1')])
    .toEqual(['4 / 5', '7 / 10', '1 h 30 min', '#ffaa00', '1, 2', 'Home', '5 km · 1, 2', 'a', 'Kazakhstan', 'America/New York', '1'])
  expect(shown('signature', { text: 'Ann', at: '2026-01-01T00:00:00Z' })).toContain('Ann')
})

it('what own types keep is told as the language does', () => {
  const ru = { ...l, locale: 'ru' }
  const plain = (s: string) => s.replace(/[\u202f\u2009\u00a0]/g, ' ')
  expect([shown('time', '21:05'), shown('time', '09:05:07'), own.time!.format('21:05', field('time'), ru), shown('time', 'noon')].map(plain)).toEqual(['9:05 PM', '9:05:07 AM', '21:05', 'noon'])
  expect([shown('daterange', '2026-11-01/2026-11-05'), shown('daterange', '2026-11-30/2026-12-02'), shown('daterange', '2026-11-01')].map(plain)).toEqual(['Nov 1 – 5, 2026', 'Nov 30 – Dec 2, 2026', 'Nov 1, 2026'])
  expect([shown('autonumber', 7, { settings: { prefix: 'V-', digits: 4 } }), shown('autonumber', 12345, { settings: { digits: 4 } }), shown('autonumber', null)]).toEqual(['V-0007', '12345', ''])
  expect(shown('address', { street: 'Abay 10', city: 'Almaty', postal_code: '050000', country: 'KZ' })).toBe('Abay 10, Almaty, 050000, Kazakhstan')
  expect(linesOf({ street: 'Abay 10', region: 'NY', postal_code: '1', country: 'KZ' }, 'en')).toEqual(['Abay 10', 'NY 1', 'Kazakhstan'])
  expect([shown('progress', '40.5'), shown('progress', 0), shown('progress', null)]).toEqual(['40.5%', '0%', ''])
  const options = { options: [{ id: 'a', label: 'Alpha' }] }
  for (const look of ['radio', 'status', 'priority', 'label', 'badge']) expect(typeOf({ type: 'select', look }).format('a', field('select', options), l), look).toBe('Alpha')
  expect(typeOf({ type: 'select', look: 'nobody knows' })).toBe(typeOf({ type: 'select' }))
})
it('values in a button’s address are values and nothing else', () => {
  expect(linkOf('https://a.test/?q={{name}}&n={{ cf.n }}', { name: 'a&b=c #d', 'cf.n': 7 })).toBe('https://a.test/?q=a%26b%3Dc%20%23d&n=7')
  expect(linkOf('https://a.test/{{nothing}}', {})).toBe('https://a.test/')
  for (const bad of ['javascript:alert(1)', '{{x}}', 'ftp://a.test', null, 'https://']) expect(linkOf(bad, { x: 'javascript:alert(1)' }), String(bad)).toBeNull()
})
it('bars stand for the place of a priority', () => {
  expect([[0, 3], [1, 3], [2, 3], [0, 1], [-1, 3], [3, 5]].map(([at, of]) => filled(at!, of!))).toEqual([1, 3, 4, 4, 0, 3])
})
it('a code is drawn as runs of squares', () => {
  expect(pathOf([[true, true, false], [false, false, true]])).toBe('M0 0h2v1h-2zM2 1h1v1h-1z')
})
