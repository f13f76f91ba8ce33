import { expect, it } from 'vitest'
import type { Entity, Field } from '@/meta/types'
import { cardFields, laneFilter, lanesOf, nextLane, NONE, readLimits, totals, valueIn, waysFrom } from './state'

const field = (name: string, type: string, more: Partial<Field> = {}): Field => ({ name, label: name, type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false, ...more })
const status = field('status', 'select', { options: ['c', 'b', 'a'].map((id) => ({ id, label: id })) })
const entity = (more: Partial<Entity>): Entity => ({ name: 'x.y', label: 'y', plural: 'ys', title_field: 'number', list: [], form: [], search: true, document: true, fields: [status], lines: [], actions: [], can: { create: true, update: true, delete: true, export: true, import: true, talk: true }, ...more })
const worked = entity({ states: { field: 'status', options: ['a', 'b', 'c'].map((id) => ({ id, label: id })), moves: [{ action: 'go', label: 'Go', from: ['a', 'b'], to: 'c' }, { action: 'fly', label: 'Fly', from: 'a', to: 'c' }, { action: 'back', label: 'Back', from: 'c', to: 'a' }] } })

it('a workflow says where to and by what, in its own order', () => {
  expect(lanesOf(worked, status).map((o) => o.id)).toEqual(['a', 'b', 'c'])
  expect([...waysFrom(worked, status, 'a')]).toEqual([['c', 'go']])
  expect([...waysFrom(worked, status, 'c')]).toEqual([['a', 'back']])
})
it('a choice without a workflow goes anywhere, for whoever may change it', () => {
  expect([...waysFrom(entity({}), status, 'b').keys()]).toEqual(['c', 'a', NONE])
  expect([...waysFrom(entity({}), { ...status, required: true }, 'b').keys()]).toEqual(['c', 'a'])
  expect(waysFrom(entity({}), { ...status, access: 'read' }, 'b').size).toBe(0)
})
it('keys pass over what may not be entered', () => {
  const may = (l: string) => l !== 'b'
  expect([nextLane(['a', 'b', 'c'], 'a', 1, may), nextLane(['a', 'b', 'c'], 'c', 1, may), nextLane(['a', 'b', 'c'], 'c', -1, may)]).toEqual(['c', 'c', 'a'])
})
it('a lane is the filter and its own value', () => {
  const mine = { operator: 'OR' as const, rules: [{ field: 'n', operator: 'equals', value: 1 }] }
  expect(laneFilter(status, 'a', mine)).toEqual({ operator: 'AND', rules: [mine, { field: 'status', operator: 'equals', value: 'a' }] })
  expect(laneFilter(status, NONE, undefined).rules).toEqual([{ field: 'status', operator: 'is_empty' }])
})
it('currencies stay apart', () => {
  const t = totals([{ status: 'a', currency: 'USD', n: 2, sum: '5.00' }, { status: 'a', currency: 'KZT', n: 1, sum: '900' }, { status: null, currency: 'USD', n: 3, sum: null }], status, 'currency')
  expect(t.get('a')).toEqual({ n: 3, sums: [{ currency: 'USD', value: '5.00' }, { currency: 'KZT', value: '900' }] })
  expect(t.get(NONE)).toEqual({ n: 3, sums: [] })
})
it('a card says four things, none of them twice', () => {
  const all = ['number', 'status', 'currency', 'a', 'b', 'c', 'd', 'e'].map((n) => field(n, 'text'))
  expect(cardFields(worked, status, all).map((f) => f.name)).toEqual(['a', 'b', 'c', 'd'])
  const mixed = [field('kind', 'select'), field('way', 'select'), field('who', 'relation'), field('made', 'date'), field('due', 'date'), field('sum', 'money'), field('left', 'money')]
  expect(cardFields(worked, status, mixed).map((f) => f.name)).toEqual(['kind', 'who', 'made', 'sum'])
})
it('lanes of people are entered as choices are; a cell is its column and its row', () => {
  const who = field('who', 'user')
  expect([...waysFrom(entity({}), who, 'p', ['p', 'q', NONE]).keys()]).toEqual(['q', NONE])
  expect(laneFilter(status, 'a', null, field('hot', 'boolean'), 'true').rules).toEqual([{ field: 'status', operator: 'equals', value: 'a' }, { field: 'hot', operator: 'is_true' }])
  expect([valueIn(field('hot', 'boolean'), 'false'), valueIn(who, 'p'), valueIn(who, NONE)]).toEqual([false, 'p', null])
  expect([readLimits('{"a":3,"b":-1,"c":"x"}'), readLimits('nonsense'), readLimits(undefined)]).toEqual([{ a: 3 }, {}, {}])
})
