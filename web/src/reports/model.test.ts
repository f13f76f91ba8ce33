import { describe, expect, it } from 'vitest'
import type { Meta } from '@/meta/types'
import { asked, difference, lined, months, preset, share, shifted, target, type Report, type Row } from './model'

const report = (more: Partial<Report> = {}): Report => ({ name: 'r', module: 'm', label: 'R', compare: 'span', params: [{ name: 'from', type: 'date', label: '' }, { name: 'to', type: 'date', label: '' }], columns: [{ name: 'a', type: 'text', label: '' }], ...more })
const between = (from: string, to: string) => ({ rows: [], from, to })

describe('what stands beside a span', () => {
  it.each([
    ['2026-03-01', '2026-03-31', '2026-02-01', '2026-02-28'],
    ['2024-03-01', '2024-03-31', '2024-02-01', '2024-02-29'],
    ['2026-01-01', '2026-12-31', '2025-01-01', '2025-12-31'],
    ['2026-04-01', '2026-06-30', '2026-01-01', '2026-03-31'],
    ['2026-03-05', '2026-03-11', '2026-02-26', '2026-03-04'],
    ['2026-01-01', '2026-11-21', '2025-02-10', '2025-12-31'],
  ])('%s to %s is %s to %s', (from, to, a, b) => expect(shifted(report(), between(from, to), 'previous')).toEqual({ from: a, to: b }))
  it('is a year ago, an end of February an end', () => {
    expect(shifted(report(), between('2024-02-01', '2024-02-29'), 'year')).toEqual({ from: '2023-02-01', to: '2023-02-28' })
    expect(shifted(report({ compare: 'day' }), { rows: [], as_of: '2026-03-31' }, 'previous')).toEqual({ as_of: '2026-02-28' })
    expect(shifted(report({ compare: null }), between('2026-01-01', '2026-01-31'), 'year')).toBeNull()
  })
  it('months keep the day where there is one', () => expect([months('2026-01-30', 1), months('2026-02-28', 1), months('2026-05-15', -12)]).toEqual(['2026-02-28', '2026-03-31', '2025-05-15']))
})

describe('usual spans', () => {
  it.each([
    ['month', '2026-11-01', '2026-11-30'], ['lastMonth', '2026-10-01', '2026-10-31'], ['quarter', '2026-10-01', '2026-12-31'],
    ['lastQuarter', '2026-07-01', '2026-09-30'], ['year', '2026-01-01', '2026-12-31'], ['lastYear', '2025-01-01', '2025-12-31'],
  ] as const)('%s', (which, from, to) => expect(preset(report(), which, '2026-11-21')).toEqual({ from, to }))
  it('of a day are no day to come', () => {
    const day = report({ params: [{ name: 'as_of', type: 'date', label: '' }] })
    expect([preset(day, 'month', '2026-11-21'), preset(day, 'lastMonth', '2026-11-21')]).toEqual([{ as_of: '2026-11-21' }, { as_of: '2026-10-31' }])
  })
})

describe('figures', () => {
  it('differ exactly', () => {
    expect(difference('0.3', '0.1')).toBe('0.2')
    expect(difference('1', '12345678901234567890.12')).toBe('-12345678901234567889.12')
    expect(difference(undefined, '5.00')).toBe('-5.00')
    expect(difference('5', '5.00')).toBe('0.00')
  })
  it('grow by nothing that can be said where nothing was', () => expect([share('5', '0'), share('-5', '-10'), share('5', '10')]).toEqual([null, -50, 50]))
})

describe('rows', () => {
  const row = (key: string, level: number, more: object = {}): Row => ({ key, level, ...more })
  const rows = [row('a', 0, { role: 'group', amount: '3' }), row('b', 1, { amount: '1' }), row('c', 1, { amount: '2' }), row('d', 0, { amount: '3' })]
  it('under a closed one are not shown', () => expect(lined(rows, undefined, new Set(['a'])).filter((s) => !s.hidden).map((s) => s.row.key)).toEqual(['a', 'd']))
  it('that there are no more stand where they stood, without figures', () => {
    const all = lined(rows, [rows[0]!, rows[1]!, row('x', 1, { amount: '9', name: '7' }), rows[3]!], new Set())
    expect(all.map((s) => s.row.key)).toEqual(['a', 'b', 'x', 'c', 'd'])
    expect(all[2]).toMatchObject({ row: { name: '7' }, was: { amount: '9' } })
    expect(all[2]!.row.amount).toBeUndefined()
  })
})

describe('a figure leads', () => {
  const there = { name: 'lines', label: 'Lines', params: [{ name: 'id', type: 'text' }, { name: 'to', type: 'date' }], columns: [] }
  const entity = (name: string, part_of: string | null) => ({ name, part_of })
  const meta = { reports: [{ module: 'm', title: 'M', words: {}, reports: [there] }], entities: { 'm.docs': entity('m.docs', null), 'm.parts': entity('m.parts', 'm.docs') } } as unknown as Meta
  const r = report({ drill: [{ column: 'source', row: 'source_id', entity: '$source', id: '$source_id' }, { row: 'id', report: 'm.lines', params: { id: '$id', to: '$to', other: '$to' } }, { row: 'code', entity: 'm.docs', filter: { operator: 'AND', rules: [{ field: 'code', operator: 'in', value: ['$code'] }] } }] })
  const go = (row: object, column = 'a') => target(r, { key: '1', ...row }, column, { rows: [], to: '2026-01-31' }, {}, meta)
  it('to another report, with what that takes', () => expect(go({ id: 7 })).toEqual({ to: 'report', module: 'm', name: 'lines', search: { id: '7', to: '2026-01-31' } }))
  it('to the records it is made of', () => expect(go({ code: 'USD' })).toEqual({ to: 'list', entity: 'm.docs', filter: { operator: 'AND', rules: [{ field: 'code', operator: 'in', value: ['USD'] }] } }))
  it('by its column', () => expect(go({ id: 7, source: 'm.docs', source_id: 'x' }, 'source')).toEqual({ to: 'record', entity: 'm.docs', id: 'x' }))
  it('nowhere where there is nothing to see', () => expect([go({}), go({ source: 'm.parts', source_id: 'x' }, 'source'), go({ source: 'm.hidden', source_id: 'x' }, 'source')]).toEqual([null, null, null]))
})

it('only what a report knows is asked', () => expect(asked(report(), { from: '2026-01-01', compare: 'year', to: '' })).toEqual({ from: '2026-01-01' }))
