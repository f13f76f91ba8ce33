import { expect, it, vi } from 'vitest'
import * as records from '@/api/records'
import type { Entity, Field } from '@/meta/types'
import { both, comparer, gatherAll, readDims, readMeasures, ruleOf, spanNext, spanStart, sumText, type Fact, type Say } from './cube'
import { build, cellOf, headsOf, layoutOf, linesOf } from './model'
import { csv } from './parts'

const field = (name: string, type: string, more: Partial<Field> = {}): Field => ({ name, label: name, type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false, ...more })
const fields = [field('number', 'text', { unique: true }), field('status', 'select', { options: [{ id: 'b', label: 'Begun' }, { id: 'a', label: 'Away' }] }), field('day', 'date'), field('at', 'datetime'), field('total', 'money'), field('tags', 'tags', { sortable: false })]
const entity: Entity = { name: 'x.y', label: 'y', plural: 'ys', title_field: 'number', list: ['number', 'status', 'day', 'total'], form: [], search: true, document: true, fields, lines: [], actions: [], can: { create: true, update: true, delete: true, export: true, import: true, talk: true } }
const say: Say = { t: ((k: string) => k) as never, locale: { locale: 'en', zone: 'Asia/Almaty', currency: 'USD' }, people: [] }

it('reads what can be grouped by, each field once', () => {
  expect(readDims(entity, {}, 'status,day:week,day:year,tags,number,gone').map((d) => d.asked)).toEqual(['status', 'day:week'])
  expect(readMeasures(entity, 'sum:total,avg:status,count,count').map((m) => m.id)).toEqual(['sum:total', 'count'])
  expect([layoutOf(entity, {}, {}).rows[0]!.id, layoutOf(entity, {}, {}).cols[0]!.id, layoutOf(entity, {}, {}).values[0]!.id]).toEqual(['status', 'day:quarter', 'sum:total'])
})
it('knows the records behind a value', () => {
  const [status, day, at] = readDims(entity, {}, 'status,day:quarter,at:day')
  expect(ruleOf(status!, 'a', 'UTC')).toEqual({ field: 'status', operator: 'in', value: ['a'] })
  expect(ruleOf(status!, null, 'UTC')).toEqual({ field: 'status', operator: 'is_empty' })
  expect(ruleOf(day!, '2026-10-01', 'UTC')).toEqual({ field: 'day', operator: 'between', value: ['2026-10-01', '2026-12-31'] })
  expect(ruleOf(at!, '2026-10-01', 'Asia/Almaty').value).toEqual(['2026-09-30T19:00:00.000Z', '2026-10-01T18:59:59.999Z'])
  expect(both({ operator: 'OR', rules: [{ field: 'a', operator: 'x' }] }, [{ field: 'b', operator: 'y' }])!.rules.length).toBe(2)
})
it('spans of time begin and go on', () => {
  expect(['year', 'quarter', 'month', 'week', 'day'].map((b) => spanStart('2026-11-21', b as never))).toEqual(['2026-01-01', '2026-10-01', '2026-11-01', '2026-11-16', '2026-11-21'])
  expect([spanNext('2026-11-16', 'week'), spanNext('2026-10-01', 'quarter'), spanNext('2026-01-01', 'year', -1)]).toEqual(['2026-11-23', '2027-01-01', '2025-01-01'])
})
it('builds lines, columns and totals out of what the server added up', () => {
  const layout = layoutOf(entity, {}, { rows: 'status', cols: 'day:year' })
  const fact = (at: string[], value: string, currency = 'USD'): Fact => ({ at, raw: at.map((x) => x || null), sums: [[{ currency, value }]] })
  const answer = { sets: [{ r: 0, c: 0 }, { r: 0, c: 1 }, { r: 1, c: 0 }, { r: 1, c: 1 }], cut: false, facts: [[fact([], '9')], [fact(['2026-01-01'], '7'), fact(['2025-01-01'], '2')], [fact(['a'], '8'), fact(['b'], '1'), fact([''], '0')], [fact(['a', '2026-01-01'], '6'), fact(['a', '2025-01-01'], '2'), fact(['b', '2026-01-01'], '1')]] }
  const p = build(layout, answer, '', say, null)
  expect(linesOf(p, new Set()).map((l) => l.node.at[0])).toEqual(['b', 'a', ''])
  expect(p.leaves.map((l) => l.at.join())).toEqual(['2025-01-01', '2026-01-01', ''])
  expect(headsOf(p, 0, 3)[0]!.map((h) => h.total)).toEqual([false, false, true])
  expect(cellOf(p, ['a'], p.leaves[1]!)).toEqual([{ currency: 'USD', value: '6' }])
  expect(cellOf(p, ['b'], p.leaves[0]!)).toEqual([])
  expect(linesOf(build(layout, answer, '-2026-01-01|sum:total', say, null), new Set()).map((l) => l.node.at[0])).toEqual(['a', 'b', ''])
})
it('choices keep the order of the work, nothing comes last', () => {
  const [status] = readDims(entity, {}, 'status')
  expect(['a', null, 'b'].sort(comparer(status!, say))).toEqual(['b', 'a', null])
})
it('money is told in its own currency, a table in a file is no formula', () => {
  expect(sumText(readMeasures(entity, 'avg:total')[0]!, { currency: 'EUR', value: '10.123456' }, say.locale)).toBe('€10.12')
  expect(csv([['=A1', '-5', 'a,"b"']])).toBe('\uFEFF\'=A1,-5,"a,""b"""\r\n')
})

it('one question brings cells and totals; money is told by currency, counts once', async () => {
  const [status, day] = readDims(entity, {}, 'status,day:year')
  const asked = vi.spyOn(records, 'aggregate').mockResolvedValue({ data: [
    { status: null, day: null, currency: null, m0: '9', m1: 3, _grouped: [] }, { status: null, day: null, currency: 'USD', m0: '5', m1: 2, _grouped: ['currency'] }, { status: null, day: null, currency: 'EUR', m0: '4', m1: 1, _grouped: ['currency'] },
    { status: 'a', day: null, currency: null, m0: '9', m1: 3, _grouped: ['status'] }, { status: 'a', day: null, currency: 'USD', m0: '5', m1: 2, _grouped: ['status', 'currency'] },
    { status: 'a', day: '2026-01-01', currency: null, m0: '5', m1: 2, _grouped: ['status', 'day:year'] }, { status: 'a', day: '2026-01-01', currency: 'USD', m0: '5', m1: 2, _grouped: ['status', 'day:year', 'currency'] },
  ] })
  const { facts } = await gatherAll(entity, [[], [0], [0, 1]], { dims: [status!, day!], measures: readMeasures(entity, 'sum:total,count'), currency: 'currency', base: {} })
  expect(asked.mock.calls[0]![1]).toMatchObject({ group_by: ['status', 'day:year', 'currency'], totals: true })
  expect(facts[0]![0]!.sums).toEqual([[{ currency: 'USD', value: '5' }, { currency: 'EUR', value: '4' }], [{ currency: null, value: '3' }]])
  expect(facts[1]!.map((f) => [f.at[0], f.sums[1]![0]!.value])).toEqual([['a', '3']])
  expect(facts[2]![0]!.at).toEqual(['a', '2026-01-01'])
})
