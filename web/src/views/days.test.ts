import { expect, it } from 'vitest'
import { addDays, addMonths, byDay, daysFrom, daysIn, firstWeekday, isDay, month, monthOnly, week, weekdayOf, weekendOf, workdays } from './days'

it('days go over the ends of months and years', () => {
  expect([addDays('2026-12-31', 1), addDays('2028-03-01', -1), addMonths('2026-01-31', 1), addMonths('2026-01-31', -1)]).toEqual(['2027-01-01', '2028-02-29', '2026-02-28', '2025-12-31'])
})
it('a month is whole weeks, begun as it is usual here', () => {
  const monday = month('2026-11-21', 1)
  expect([monday[0], monday.at(-1), monday.length]).toEqual(['2026-10-26', '2026-12-06', 42])
  const sunday = month('2026-11-21', 7)
  expect([sunday[0], sunday.at(-1), sunday.length]).toEqual(['2026-11-01', '2026-12-05', 35])
  expect(month('2027-02-10', 1).length).toBe(28)
  expect(monthOnly('2026-02-03').length).toBe(28)
})
it('a week holds its day', () => {
  expect(week('2026-11-22', 1)[6]).toBe('2026-11-22')
  expect(week('2026-11-22', 7)[0]).toBe('2026-11-22')
  expect(week('2026-11-22', 6)[1]).toBe('2026-11-22')
})
it('weeks begin by the place', () => expect([firstWeekday('ru-RU'), firstWeekday('en-US'), firstWeekday('nonsense!')]).toEqual([1, 7, 1]))
it('what is no day is told', () => expect(['2026-02-30', '2026-2-3', '', undefined, '2026-02-28'].map(isDay)).toEqual([false, false, false, false, true]))
it('rows by their day', () => expect([...byDay(['a1', 'b2', 'c1'], (s) => s[1]!)]).toEqual([['1', ['a1', 'c1']], ['2', ['b2']]]))
it('days are counted over months and years', () => {
  expect([daysFrom('2028-02-28', '2028-03-01'), daysFrom('2026-12-31', '2027-01-01'), daysFrom('2026-05-02', '2026-05-01')]).toEqual([2, 1, -1])
  expect([daysIn('2026-02-27', '2026-03-01'), daysIn('2026-02-27', '2026-02-26')]).toEqual([['2026-02-27', '2026-02-28', '2026-03-01'], []])
})
it('what is worked on is told from the weekend', () => {
  expect([weekdayOf('2026-11-21'), weekdayOf('2026-11-22'), weekdayOf('2026-11-23')]).toEqual([6, 7, 1])
  expect([workdays('2026-11-16', '2026-11-22', [6, 7]), workdays('2026-11-20', '2026-11-23', [6, 7]), workdays('2026-11-21', '2026-11-22', [6, 7]), workdays('2026-11-01', '2026-11-30', [6, 7]), workdays('2026-11-02', '2026-11-01', [6, 7])]).toEqual([5, 2, 0, 21, 0])
  expect([weekendOf('ru-RU'), weekendOf('nonsense!')]).toEqual([[6, 7], [6, 7]])
})
