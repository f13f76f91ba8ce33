import { expect, it } from 'vitest'
import { columnsOf, isRest, over, people, spread } from './spread'

const rest = [6, 7]
const days = columnsOf('2026-11-18', false, 14, 1, rest)
const weeks = columnsOf('2026-11-18', true, 3, 1, rest)
it('columns are days or weeks from the beginning of the week', () => {
  expect([days[0], days[5]!.work, weeks[1]]).toEqual([{ from: '2026-11-16', to: '2026-11-16', work: 1 }, 0, { from: '2026-11-23', to: '2026-11-29', work: 5 }])
  expect([isRest(days[5]!, rest), isRest(weeks[0]!, rest)]).toEqual([true, false])
})
it('effort is spread over the days that are worked on', () => {
  // Friday to Tuesday: three days of work.
  expect(spread({ who: 'a', from: '2026-11-20', to: '2026-11-24', effort: 12 }, days, rest)).toEqual([0, 0, 0, 0, 4, 0, 0, 4, 4, 0, 0, 0, 0, 0])
  expect(spread({ who: 'a', from: '2026-11-20', to: '2026-11-24', effort: 12 }, weeks, rest)).toEqual([4, 8, 0])
  // On a weekend alone it has to be done then.
  expect(spread({ who: 'a', from: '2026-11-21', to: '2026-11-22', effort: 3 }, days, rest).slice(4, 8)).toEqual([0, 1.5, 1.5, 0])
  // What began before and goes on after gives only its share.
  expect(spread({ who: 'a', from: '2026-11-02', to: '2026-12-04', effort: 25 }, weeks, rest)).toEqual([5, 5, 5])
})
it('sums by person, too much only where there is a limit', () => {
  const all = people([{ who: 'a', from: '2026-11-16', to: '2026-11-16', effort: 0.1 }, { who: 'a', from: '2026-11-16', to: '2026-11-16', effort: 0.2 }, { who: 'b', from: '2026-11-16', to: '2026-11-17', effort: 20 }, { who: 'c', from: '2026-01-01', to: '2026-01-02', effort: 9 }], days, rest)
  expect(all.map((p) => [p.who, p.cells[0], p.total])).toEqual([['a', 0.3, 0.3], ['b', 10, 20]])
  expect([over(10, 8, days[0]!), over(8, 8, days[0]!), over(3, 8, days[5]!), over(45, 8, weeks[0]!)]).toEqual([2, 0, 0, 5])
})
