import { describe, expect, it } from 'vitest'
import type { Entity, Field } from '@/meta/types'
import { chosen, kinds, missing, named } from './kind'

describe('what records can be looked at as', () => {
  const field = (name: string, type: string, more: Partial<Field> = {}): Field => ({ name, label: name, type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false, ...more })
  const entity = (fields: Field[], views: Record<string, unknown>): Entity => ({ name: 'x.y', label: 'y', plural: 'ys', title_field: 'name', list: [], form: [], search: true, document: false, fields, lines: [], actions: [], views, can: { create: true, update: true, delete: true, export: true, import: true, talk: true } })
  const stage = field('stage', 'select', { options: [{ id: 'a', label: 'A' }] })
  const due = field('due', 'date')
  const kind = (name: string) => kinds.find((k) => k.name === name)!
  const declared = entity([stage, due], { board: 'stage', calendar: 'due' })
  it('says what an entity lacks', () => {
    expect(missing(declared, kind('board'))).toBeUndefined()
    expect(missing(entity([stage], {}), kind('calendar'))?.key).toBe('date')
    expect(missing(entity([field('stage', 'text')], { board: 'stage' }), kind('board'))?.key).toBe('lanes')
  })
  it('what its author named is at hand, what the person chose goes first', () => {
    expect([named(declared, kind('board')), named(entity([stage, due], {}), kind('board'))]).toEqual([true, false])
    const two = entity([stage, field('kind', 'select', { options: [{ id: 'b', label: 'B' }] })], { board: 'stage' })
    expect([chosen(two, kind('board'), undefined).lanes?.name, chosen(two, kind('board'), { lanes: 'kind' }).lanes?.name, chosen(two, kind('board'), { lanes: 'gone' }).lanes?.name]).toEqual(['stage', 'kind', 'stage'])
  })
  it('none is a choice too', () => {
    const optional = { ...kind('board'), choices: [{ ...kind('board').choices[0]!, required: false }] }
    expect([chosen(declared, optional, {}).lanes?.name, chosen(declared, optional, { lanes: '' }).lanes?.name]).toEqual(['stage', undefined])
  })
  it('every kind has a name of its own and is told in every folder', () => expect(new Set(kinds.map((k) => k.name)).size).toBe(kinds.length))
})
