import { expect, it } from 'vitest'
import { checks } from '@/fields/own/checkdigit'
import { compile } from '@/lib/condition'
import { formatDuration, parseDuration } from '@/fields/own/duration'
import { kilometres, parsePlace } from '@/fields/own/location'
import { prefix, unmarked, wrap } from '@/fields/own/marks'
import type { Field } from '@/meta/types'
import { own } from './own'

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
