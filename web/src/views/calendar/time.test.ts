import { describe, expect, it } from 'vitest'
import type { Field, Row } from '@/meta/types'
import { Hours, hoursOf } from './hours'
import { beside, fitting, lanesOf } from './lanes'
import { byDays, byMinutes, changesOf, edgeToDay, edgeToInstant, instant, touching, whenOf, type Times, type When } from './when'

const field = (name: string, type: string): Field => ({ name, label: name, type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false })
const NY = 'America/New_York'
const days: Times = { start: field('a', 'date'), end: field('b', 'date'), zone: NY }
const hours: Times = { start: field('a', 'datetime'), end: field('b', 'datetime'), zone: NY }
const row = (a: unknown, b: unknown = null): Row => ({ id: '1', a, b })
const at = (wall: string) => new Date(instant(wall, NY)).toISOString()

describe('when a record is', () => {
  it('of days: from one to another, open where no end is known, never backwards', () => {
    expect(whenOf(row('2026-05-01', '2026-05-04'), days)).toEqual({ from: '2026-05-01', to: '2026-05-04', open: false })
    expect(whenOf(row('2026-05-01'), days)).toEqual({ from: '2026-05-01', to: '2026-05-01', open: true })
    expect(whenOf(row('2026-05-01', '2026-04-01'), days)!.to).toBe('2026-05-01')
    expect(whenOf(row(null, '2026-04-01'), days)).toBeNull()
  })
  it('of hours, in the person\'s zone; midnight ends the day before', () => {
    const w = whenOf(row(at('2026-05-01T22:00'), at('2026-05-02T00:00')), hours)!
    expect([w.from, w.to]).toEqual(['2026-05-01', '2026-05-01'])
    expect(whenOf(row(at('2026-05-01T22:00'), at('2026-05-02T00:30')), hours)!.to).toBe('2026-05-02')
  })
  it('moved by days it keeps its time by the clock, also over a day of 23 hours, and lasts as long', () => {
    const w = whenOf(row(at('2026-03-07T09:00'), at('2026-03-07T10:30')), hours)!
    const later = byDays(w, 2, NY)
    expect(changesOf(row(at('2026-03-07T09:00'), at('2026-03-07T10:30')), w, later, hours)).toEqual({ a: at('2026-03-09T09:00'), b: at('2026-03-09T10:30') })
    expect(later.at! - w.at!).toBe(47 * 36e5)
  })
  it('an edge never passes the other, and only what changed is written', () => {
    const w: When = { from: '2026-05-01', to: '2026-05-04', open: false }
    expect(edgeToDay(w, 'end', '2026-04-20', NY).to).toBe('2026-05-01')
    expect(edgeToDay(w, 'start', '2026-06-20', NY).from).toBe('2026-05-04')
    expect(changesOf(row('2026-05-01', '2026-05-04'), w, edgeToDay(w, 'end', '2026-05-09', NY), days)).toEqual({ b: '2026-05-09' })
    const open = whenOf(row('2026-05-01'), days)!
    expect(changesOf(row('2026-05-01'), open, byDays(open, 3, NY), days)).toEqual({ a: '2026-05-04' })
    expect(changesOf(row('2026-05-01'), open, edgeToDay(open, 'end', '2026-05-01', NY), days)).toEqual({ b: '2026-05-01' })
    const h = whenOf(row(at('2026-05-01T09:00'), at('2026-05-01T10:00')), hours)!
    expect(edgeToInstant(h, 'end', h.at! - 36e5, NY).till! - h.at!).toBe(9e5)
    expect(byMinutes(h, 30, NY).at! - h.at!).toBe(18e5)
  })
  it('asks for what touches the days, also what began before', () => {
    expect(touching(days, '2026-05-01', '2026-05-31')).toEqual([{ field: 'a', operator: 'less_than', value: '2026-06-01' }, { operator: 'OR', rules: [{ field: 'a', operator: 'greater_or_equal', value: '2026-05-01' }, { field: 'b', operator: 'greater_or_equal', value: '2026-05-01' }] }])
    expect(touching({ start: hours.start, zone: NY }, '2026-03-08', '2026-03-08').map((r) => (r as { value: unknown }).value)).toEqual(['2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'])
  })
})

describe('hours', () => {
  it('a day has as many as it has', () => expect(['2026-03-08', '2026-11-01', '2026-05-05'].map((d) => hoursOf(d, NY).length)).toEqual([23, 25, 24]))
  it('stand in rows and come back from them', () => {
    const grid = new Hours(['2026-10-31', '2026-11-01'], NY)
    expect(grid.slots.length).toBe(25)
    expect([grid.place('2026-10-31', instant('2026-10-31T01:30', NY)), grid.place('2026-10-31', instant('2026-10-31T02:30', NY))]).toEqual([1.5, 3.5])
    expect(grid.has('2026-10-31', { hour: 1, twice: true })).toBe(false)
    for (const wall of ['2026-11-01T00:15', '2026-11-01T04:45', '2026-11-01T23:00']) { const ms = instant(wall, NY); expect(grid.instant('2026-11-01', grid.place('2026-11-01', ms))).toBe(ms) }
    const second = hoursOf('2026-11-01', NY)[2]!
    expect([second.hour, second.twice, grid.place('2026-11-01', second.at)]).toEqual([1, true, 2])
    const spring = new Hours(['2026-03-08'], NY)
    expect([spring.slots.length, spring.place('2026-03-08', instant('2026-03-08T03:00', NY))]).toEqual([23, 2])
    // Two in the morning is not there that day: what is put there is at three.
    const week = new Hours(['2026-03-07', '2026-03-08'], NY)
    expect(week.instant('2026-03-08', 2.5)).toBe(instant('2026-03-08T03:00', NY))
    expect(week.instant('2026-03-08', 24)).toBe(instant('2026-03-09T00:00', NY))
  })
})

describe('places', () => {
  const bar = (from: string, to: string) => ({ when: { from, to, open: false } })
  const seven = Array.from({ length: 7 }, (_, i) => `2026-05-0${i + 4 > 9 ? 9 : i + 4}`).slice(0, 6)
  it('bars lie in the first lane that is free', () => {
    const { segments, lanes } = lanesOf([bar('2026-05-05', '2026-05-06'), bar('2026-05-01', '2026-05-05'), bar('2026-05-06', '2026-05-20'), bar('2026-05-07', '2026-05-07')], seven)
    expect(segments.map((s) => [s.at, s.n, s.lane, s.before, s.after])).toEqual([[0, 2, 0, true, false], [1, 2, 1, false, false], [2, 4, 0, false, true], [3, 1, 1, false, false]])
    expect(lanes).toBe(2)
  })
  it('what does not fit is counted on each of its days', () => {
    const { segments } = lanesOf([bar('2026-05-04', '2026-05-05'), bar('2026-05-04', '2026-05-04'), bar('2026-05-04', '2026-05-06')], seven)
    const { shown, more } = fitting(segments, 6, 2)
    expect([shown.length, more]).toEqual([1, [2, 1, 0, 0, 0, 0]])
    expect(fitting(segments, 6, 3).more).toEqual([0, 0, 0, 0, 0, 0])
  })
  it('what overlaps by the hour stands side by side', () => {
    const all = beside([{ of: 'a', from: 9, to: 11 }, { of: 'b', from: 10, to: 12 }, { of: 'c', from: 11, to: 12 }, { of: 'd', from: 13, to: 14 }])
    expect(all.map((x) => [x.of, x.column, x.columns])).toEqual([['a', 0, 2], ['b', 1, 2], ['c', 0, 2], ['d', 0, 1]])
  })
})
