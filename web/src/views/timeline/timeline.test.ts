import { describe, expect, it } from 'vitest'
import { circle } from './circle'
import { Lines, type Group } from './rows'
import { inSight, restDays, scaleOf, ZOOMS } from './scale'

describe('what waits for what', () => {
  it('tells a circle before it is made', () => {
    const all = [{ id: 'a', after: [] }, { id: 'b', after: ['a'] }, { id: 'c', after: ['b'] }]
    expect([circle(all, 'a', 'c'), circle(all, 'c', 'a'), circle(all, 'a', 'a')]).toEqual([true, false, true])
  })
})

describe('the scale', () => {
  it('has its day in it and no holes, whatever the zoom', () => {
    for (const z of ZOOMS) {
      const s = scaleOf(z, '2026-11-21', 1)
      expect(s.from < '2026-11-21' && s.to > '2026-11-21').toBe(true)
      for (const ticks of [s.above, s.below]) { expect(ticks.reduce((n, k) => n + k.n, 0), z).toBe(s.days); expect(ticks[0]!.at).toBe(0); expect(ticks.length).toBeLessThan(110) }
    }
  })
  it('weekends are stretches', () => {
    const s = scaleOf('day', '2026-11-21', 1)
    expect(restDays(s, [6, 7]).every((k) => k.n === 2)).toBe(true)
    expect(restDays(scaleOf('year', '2026-11-21', 1), [6, 7])).toEqual([])
  })
})

it('what is in sight goes by steps and never out of the scale', () => {
  const s = scaleOf('week', '2026-11-21', 1)
  expect(inSight(s, 0, 700).from).toBe(s.from)
  expect(inSight(s, 100, 700)).toEqual(inSight(s, 110, 690))
  expect(inSight(s, s.days * s.px - 700, 700).to).toBe(s.to)
})

describe('lines', () => {
  const group = (key: string, n: number): Group => ({ key, label: key, n, rule: null, from: null, to: null })
  it('are found without a list of them', () => {
    const l = new Lines([group('a', 3), group('b', 100_000), group('c', 2)], true, new Set())
    expect([l.total, l.line(0), l.line(1), l.line(4), l.line(5), l.line(100_005), l.index(2, 1)]).toEqual([100_008, { group: 0, i: -1 }, { group: 0, i: 0 }, { group: 1, i: -1 }, { group: 1, i: 0 }, { group: 2, i: -1 }, 100_007])
    const shut = new Lines(l.groups, true, new Set(['b']))
    expect([shut.total, shut.line(5), shut.line(6)]).toEqual([8, { group: 2, i: -1 }, { group: 2, i: 0 }])
    expect(new Lines([group('', 5)], false, new Set()).line(0)).toEqual({ group: 0, i: 0 })
  })
})
