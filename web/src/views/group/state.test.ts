import { describe, expect, it } from 'vitest'
import type { Field } from '@/meta/types'
import { filterFor, lastDay, ordered, ruleFor, type Level } from './state'

const field = (name: string, type: string, more: Partial<Field> = {}): Field => ({ name, label: name, type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false, ...more })
const level = (f: Field, step?: Level['step']): Level => ({ field: f, key: f.name, ask: f.name, spec: f.name, ...(step ? { step } : {}) })

describe('groups', () => {
  it('a group of days ends with its last', () => {
    expect([lastDay('2026-02-01', 'month'), lastDay('2024-02-01', 'month'), lastDay('2026-10-01', 'quarter'), lastDay('2026-01-01', 'year'), lastDay('2026-12-28', 'week'), lastDay('2026-05-05', 'day')]).toEqual(['2026-02-28', '2024-02-29', '2026-12-31', '2026-12-31', '2027-01-03', '2026-05-05'])
  })
  it('finds the records of a group, under what was asked before', () => {
    expect(ruleFor(level(field('a', 'date'), 'month'), '2026-02-01')).toEqual({ field: 'a', operator: 'between', value: ['2026-02-01', '2026-02-28'] })
    expect(ruleFor(level(field('a', 'boolean')), false)).toEqual({ field: 'a', operator: 'is_false' })
    const asked = { operator: 'OR' as const, rules: [{ field: 'x', operator: 'is_empty' }] }
    expect(filterFor([level(field('a', 'select')), level(field('b', 'text'))], ['won', null], asked)).toEqual({ operator: 'AND', rules: [asked, { field: 'a', operator: 'equals', value: 'won' }, { field: 'b', operator: 'is_empty' }] })
  })
  it('stand in their order, nothing last', () => {
    const stage = level(field('s', 'select', { options: [{ id: 'new', label: 'New' }, { id: 'won', label: 'Won' }, { id: 'a', label: 'A' }] }))
    expect(ordered([{ value: 'a' }, { value: null }, { value: 'won' }, { value: 'new' }], stage, false, 'en').map((g) => g.value)).toEqual(['new', 'won', 'a', null])
    expect(ordered([{ value: '1', title: 'Beta' }, { value: '2', title: 'alpha' }, { value: null }], level(field('r', 'relation')), true, 'en').map((g) => g.value)).toEqual(['1', '2', null])
  })
})
