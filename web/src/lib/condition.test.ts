import { describe, expect, it } from 'vitest'
import type { Condition, Rule } from '@/meta/types'
import { compile, type Kind } from './condition'

const clock = { now: new Date('2026-11-21T20:30:00Z'), zone: 'Asia/Almaty' } // 2026-11-22 01:30 there, a Sunday
const kinds: Record<string, Kind> = { t: 'text', n: 'number', d: 'date', i: 'instant', b: 'bool', r: 'id', l: 'list', j: 'json' }
const is = (c: Rule | Condition, row: Record<string, unknown>) => compile(c, (f) => kinds[f], clock)(row)
const ask = (field: string, operator: string, value?: unknown): Rule => ({ field, operator, ...(value === undefined ? {} : { value }) })

describe('conditions on the page mean what they mean to the server', () => {
  it('a comparison with what is missing is false, and not_x is exactly NOT x', () => {
    for (const [f, v] of [['t', 'x'], ['n', '1'], ['d', '2026-01-01'], ['i', '2026-01-01'], ['r', 'a']] as const) {
      expect([is(ask(f, 'equals', v), {}), is(ask(f, 'not_equals', v), {}), is(ask(f, 'in', [v]), { [f]: null }), is(ask(f, 'not_in', [v]), { [f]: null })]).toEqual([false, true, false, true])
    }
    expect([is(ask('n', 'greater_than', '1'), {}), is(ask('n', 'less_or_equal', '1'), {}), is(ask('n', 'between', ['0', '9']), { n: null })]).toEqual([false, false, false])
    expect([is(ask('l', 'has_any', ['a']), {}), is(ask('l', 'has_none', ['a']), {}), is(ask('t', 'not_contains', 'a'), {})]).toEqual([false, true, true])
    expect([is(ask('b', 'is_false'), {}), is(ask('b', 'is_true'), {})]).toEqual([false, false])
  })
  it('what has another type is no value, and an unknown field or operator is never true', () => {
    expect([is(ask('n', 'greater_than', '1'), { n: 'abc' }), is(ask('d', 'after', '2020-01-01'), { d: 20260101 }), is(ask('nope', 'equals', 'x'), { nope: 'x' }), is(ask('t', 'matches', 'x'), { t: 'x' })]).toEqual([false, false, false, false])
  })
  it('numbers are exact', () => {
    expect([is(ask('n', 'equals', '1.5'), { n: '1.50' }), is(ask('n', 'equals', 1.5), { n: '1.500000' }), is(ask('n', 'greater_than', '9007199254740992'), { n: '9007199254740993' }), is(ask('n', 'less_than', '0.3'), { n: '0.30000000000000001' }), is(ask('n', 'between', ['-2', '2']), { n: '-2.00' }), is(ask('n', 'equals', '1e3'), { n: 1000 })]).toEqual([true, true, true, false, true, true])
  })
  it('text by code point, in any case where it says so', () => {
    expect([is(ask('t', 'contains_ci', 'ÖST'), { t: 'Osten östlich' }), is(ask('t', 'starts_with', 'O'), { t: 'osten' }), is(ask('t', 'ends_with', 'en'), { t: 'osten' }), is(ask('t', 'equals', ''), { t: '' }), is(ask('t', 'greater_than', '\uffff'), { t: '😀' })]).toEqual([true, false, true, true, true])
  })
  it('empty is no text, no item, nothing', () => {
    expect(([[{ t: '' }, 't'], [{ t: ' ' }, 't'], [{ l: [] }, 'l'], [{ n: 0 }, 'n'], [{ b: false }, 'b'], [{}, 'd'], [{ j: {} }, 'j'], [{ j: { a: 1 } }, 'j']] as const).map(([row, f]) => [is(ask(f, 'is_empty'), row), is(ask(f, 'is_not_empty'), row)])).toEqual([[true, false], [false, true], [true, false], [false, true], [false, true], [true, false], [true, false], [false, true]])
  })
  it('lists', () => {
    expect([is(ask('l', 'has_all', ['a', 'b']), { l: ['b', 'a', 'c'] }), is(ask('l', 'has_all', ['a', 'x']), { l: ['a'] }), is(ask('l', 'has_any', 'a'), { l: ['a'] }), is(ask('l', 'has_none', ['x']), { l: ['a'] })]).toEqual([true, false, true, true])
  })
  it('a day asked of an instant is the whole of that day, where the company is', () => {
    const evening = { i: '2026-11-22T18:59:59.999999Z' } // 23:59:59 in Almaty
    const next = { i: '2026-11-22T19:00:00Z' }
    expect([is(ask('i', 'equals', '2026-11-22'), evening), is(ask('i', 'on_or_before', '2026-11-22'), evening), is(ask('i', 'after', '2026-11-22'), evening), is(ask('i', 'before', '2026-11-22'), evening)]).toEqual([true, true, false, false])
    expect([is(ask('i', 'equals', '2026-11-22'), next), is(ask('i', 'after', '2026-11-22'), next), is(ask('i', 'between', ['2026-11-21', '2026-11-22']), next), is(ask('i', 'not_equals', '2026-11-22'), next)]).toEqual([false, true, false, true])
    expect(is(ask('i', 'greater_than', '2026-11-22T10:00:00.000001Z'), { i: '2026-11-22T10:00:00.000002Z' })).toBe(true)
  })
  it('relative days begin where the company is; weeks on Monday', () => {
    const days = (op: string, list: string[], value?: unknown) => list.map((d) => is(ask('d', op, value), { d }))
    expect(days('is_today', ['2026-11-21', '2026-11-22', '2026-11-23'])).toEqual([false, true, false])
    expect(days('this_week', ['2026-11-15', '2026-11-16', '2026-11-22', '2026-11-23'])).toEqual([false, true, true, false])
    expect(days('this_month', ['2026-10-31', '2026-11-01', '2026-11-30', '2026-12-01'])).toEqual([false, true, true, false])
    expect(days('this_quarter', ['2026-09-30', '2026-10-01', '2026-12-31', '2027-01-01'])).toEqual([false, true, true, false])
    expect(days('this_year', ['2025-12-31', '2026-01-01', '2026-12-31'])).toEqual([false, true, true])
    expect(days('within_last', ['2026-11-14', '2026-11-15', '2026-11-22', '2026-11-23'], 7)).toEqual([false, true, true, false])
    expect(days('within_next', ['2026-11-21', '2026-11-22', '2026-12-22', '2026-12-23'], '1 month')).toEqual([false, true, true, false])
    expect([is(ask('i', 'within_last', '2h'), { i: '2026-11-21T18:30:00Z' }), is(ask('i', 'within_last', '2h'), { i: '2026-11-21T18:29:59Z' }), is(ask('i', 'is_today'), { i: '2026-11-21T19:00:00Z' }), is(ask('i', 'is_today'), { i: '2026-11-21T18:59:59Z' })]).toEqual([true, false, true, false])
  })
  it('groups: all, any, and those that ask nothing', () => {
    const yes = ask('b', 'is_true'); const no = ask('b', 'is_false'); const row = { b: true }
    expect([is({ operator: 'AND', rules: [yes, no] }, row), is({ operator: 'OR', rules: [yes, no] }, row), is({ operator: 'OR', rules: [] }, row), is({ operator: 'OR', rules: [no, { operator: 'AND', rules: [] }] }, row), is({ operator: 'AND', rules: [yes, { operator: 'OR', rules: [no, yes] }] }, row)]).toEqual([false, true, true, false, true])
  })
})
