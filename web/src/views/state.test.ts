import { describe, expect, it } from 'vitest'
import { complete, kindOf, merged, nextSort, readTableSearch, sendable, withRule } from './state'

describe('the URL is the state', () => {
  it('survives a round trip', () => {
    const s = { view: 'v1', q: '42', sort: '-a,b', columns: ['a', 'b'], widths: { a: 120 }, filter: { operator: 'AND' as const, rules: [{ field: 'a', operator: 'in', value: ['x'] }] } }
    expect(readTableSearch(JSON.parse(JSON.stringify(s)))).toEqual(s)
  })
  it('numbers become text, nonsense is dropped', () => {
    expect(readTableSearch({ q: 123, columns: [1], widths: { a: 'x', b: 5 }, filter: { rules: [{ nope: 1 }] }, rec: '' })).toEqual({ q: '123' })
  })
  it('an emptied filter overrides the saved one', () => {
    const view = { id: '1', entity: 'e', name: 'n', kind: 'table', visibility: 'private' as const, state: { sort: 'a', filter: { operator: 'AND' as const, rules: [{ field: 'a', operator: 'is_empty' }] } } }
    expect(merged({}, view).filter?.rules).toHaveLength(1)
    expect(merged({ filter: { operator: 'AND', rules: [] } }, view).filter).toBeUndefined()
    expect(merged({ sort: '-b' }, view).sort).toBe('-b')
  })
})

it('sorting goes up, down, off', () => {
  expect(nextSort(undefined, 'a', false)).toBe('a')
  expect(nextSort('a', 'a', false)).toBe('-a')
  expect(nextSort('-a', 'a', false)).toBe('')
  expect(nextSort('a', 'b', true)).toBe('a,b')
  expect(nextSort('a,b', 'a', true)).toBe('-a,b')
  expect(nextSort('-a,b', 'a', true)).toBe('b')
})

it('half a rule is not sent', () => {
  expect(complete({ field: 'a', operator: 'equals' })).toBe(false)
  expect(complete({ field: 'a', operator: 'between', value: ['1', ''] })).toBe(false)
  expect(complete({ field: 'a', operator: 'is_empty' })).toBe(true)
  const c = withRule(undefined, null, { field: 'a', operator: 'equals', value: '' })
  expect(sendable(c)).toBeUndefined()
  expect(sendable(withRule(c, 0, { field: 'a', operator: 'equals', value: 0 }))?.rules).toHaveLength(1)
})

it('the address goes before the view', () => {
  const view = { id: '1', entity: 'x.y', name: 'n', kind: 'board', visibility: 'private' as const, state: {} }
  expect([kindOf({}, undefined), kindOf({}, view), kindOf({ as: 'table' }, view), kindOf(readTableSearch({ as: 'calendar' }), view)]).toEqual(['table', 'board', 'table', 'calendar'])
})
