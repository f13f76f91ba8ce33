import { expect, it } from 'vitest'
import type { Field } from '@/meta/types'
import { defaults, lineChanges, placeErrors } from './draft'

const f = (name: string, o: Partial<Field> = {}): Field => ({ name, label: name, type: 'text', required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false, ...o })
const fields = [f('a'), f('b'), f('total', { readonly: true })]

it('sends only what changed, with ids, and drops empty new rows', () => {
  const before = [{ _key: '1', id: '1', a: 'x', b: 'y', total: '1' }, { _key: '2', id: '2', a: 'p', b: 'q' }]
  const after = [{ ...before[0]!, b: 'z', total: '9' }, { ...before[1]!, _delete: true }, { _key: 'n1', a: 'new' }, { _key: 'n2' }]
  expect(lineChanges(before, after, fields)).toEqual({ rows: [{ id: '1', b: 'z' }, { id: '2', _delete: true }, { a: 'new' }], keys: ['1', '2', 'n1'] })
})
it('an error finds the row it belongs to', () => {
  expect(placeErrors([{ field: 'lines.1.qty', message: 'm' }, { field: 'name', message: 'n' }, { field: '/lines/0/qty', message: 'o' }], { lines: ['k0', 'k9'] })).toEqual({ 'lines.k9.qty': 'm', name: 'n', 'lines.k0.qty': 'o' })
})
it('an expression is no default a form can show', () => {
  expect(defaults([f('a', { default: 'now()', type: 'datetime' }), f('b', { default: '1' }), f('c', { default: 'current_date', type: 'date' }), f('d', { default: '2026-01-01', type: 'date' })])).toEqual({ b: '1', d: '2026-01-01' })
  expect(defaults([f('e', { default: 'today', type: 'date' })]).e).toMatch(/^\d{4}-\d\d-\d\d$/)
})
