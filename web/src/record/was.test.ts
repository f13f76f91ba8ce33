import { expect, it } from 'vitest'
import type { Field } from '@/meta/types'
import { differs, wire } from './was'

it('the same value in another dress is no change', () => {
  for (const [a, b] of [[10.5, '10.50'], ['10', 10], [null, ''], [null, undefined], [[], null], [['a'], ['a']], ['2026-01-01T10:00:00+00:00', '2026-01-01T10:00:00Z'], [0, '0.00'], ['100', '100.00']]) expect(differs(a, b), `${String(a)} / ${String(b)}`).toBe(false)
  for (const [a, b] of [[10, '1'], ['a', 'A'], [null, 0], [false, true], [['a'], ['b']], ['100', '1']]) expect(differs(a, b), `${String(a)} / ${String(b)}`).toBe(true)
})
it('decimals travel as texts', () => {
  const field = (type: string): Field => ({ name: 'x', label: 'X', type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false })
  expect([wire(field('money'), 10.5), wire(field('integer'), 3), wire(field('text'), ''), wire(field('boolean'), false)]).toEqual(['10.5', 3, null, false])
})
