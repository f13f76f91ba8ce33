import { expect, it } from 'vitest'
import { formatRule, parseRule, sentence, shifted, skipping } from './recurrence'
import { movedSeries } from '@/views/calendar/series'
import { itemsOf } from '@/views/calendar/shape'
import type { Field } from '@/meta/types'

const field = (name: string, type: string): Field => ({ name, label: name, type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: true, unique: false })
const times = { start: field('at', 'datetime'), end: field('till', 'datetime'), zone: 'Europe/Berlin' }

it('a rule is read and written alike, also what the editor does not know', () => {
  for (const r of ['FREQ=DAILY', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20261231', 'FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;COUNT=3', 'FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8\nEXDATE:20270308,20280308']) expect(formatRule(parseRule(r)!)).toBe(r)
  expect([parseRule(''), parseRule(null), parseRule('FREQ=HOURLY')]).toEqual([null, null, null])
})
it('a day is left out once', () => {
  expect(skipping('FREQ=DAILY', '2026-11-09')).toBe('FREQ=DAILY\nEXDATE:20261109')
  expect(skipping('FREQ=DAILY\nEXDATE:20261109', '2026-11-02')).toBe('FREQ=DAILY\nEXDATE:20261102,20261109')
  expect(skipping('FREQ=DAILY\nEXDATE:20261109', '2026-11-09')).toBe('FREQ=DAILY\nEXDATE:20261109')
})
it('a rule goes with its series', () => {
  expect(shifted('FREQ=WEEKLY;BYDAY=MO,WE\nEXDATE:20261109', 1, '2026-11-03')).toBe('FREQ=WEEKLY;BYDAY=TU,TH\nEXDATE:20261110')
  expect(shifted('FREQ=WEEKLY;BYDAY=MO', -8, '2026-11-01')).toBe('FREQ=WEEKLY;BYDAY=SU')
  expect(shifted('FREQ=MONTHLY;BYMONTHDAY=8', 3, '2026-11-11')).toBe('FREQ=MONTHLY;BYMONTHDAY=11')
  expect(shifted('FREQ=MONTHLY;BYDAY=2TU', 7, '2026-11-17')).toBe('FREQ=MONTHLY;BYDAY=3TU')
  expect(shifted('FREQ=DAILY', 5, '2026-11-17')).toBe('FREQ=DAILY')
})
it('a series moves by as much as the one that was dragged, by the clock', () => {
  // Over the change of the clock: the series began in summer, what was dragged is in winter.
  const row = { id: '1', at: '2026-07-06T07:00:00Z', till: '2026-07-06T08:00:00Z', again: 'FREQ=WEEKLY;BYDAY=MO', _occurrences: [{ start: '2026-11-02T08:00:00Z', end: '2026-11-02T09:00:00Z' }, { start: '2026-11-09T08:00:00Z', end: '2026-11-09T09:00:00Z' }] }
  const items = itemsOf(row, times)
  expect(items.map((x) => x.when.from)).toEqual(['2026-11-02', '2026-11-09'])
  const was = items[1]!.when
  const now = { ...was, from: '2026-11-10', to: '2026-11-10', at: +new Date('2026-11-10T09:30:00Z'), till: +new Date('2026-11-10T10:30:00Z') }
  expect(movedSeries(row, was, now, times, 'again')).toEqual({ at: '2026-07-07T08:30:00.000Z', till: '2026-07-07T09:30:00.000Z', again: 'FREQ=WEEKLY;BYDAY=TU' })
})
it('what the editor has no words for is shown as it is', () => {
  expect(sentence('FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1', { locale: 'en', zone: 'UTC', currency: 'USD' })).toBe('FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1')
})
