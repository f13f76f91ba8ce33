import { describe, expect, it } from 'vitest'
import type { Condition, Entity, Field } from '@/meta/types'
import { fitting } from './fitting'

const when = (field: string, operator: string, value?: unknown): Condition => ({ operator: 'AND', rules: [{ field, operator, ...(value === undefined ? {} : { value }) }] })
const field = (name: string, more: Partial<Field> = {}): Field => ({ name, label: name, type: 'text', required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: true, unique: false, ...more })
const entity = (fields: Field[]): Entity => ({ name: 'x.y', label: '', plural: '', title_field: null, list: [], form: [], search: false, document: false, fields, lines: [], actions: [], can: { create: true, update: true, delete: true, export: true, import: true, talk: true } })

describe('fields that are there for some records', () => {
  const fields = [field('kind'), field('cf.card', { visible_when: when('kind', 'equals', 'gold'), required: true }), field('cf.gate', { visible_when: when('cf.card', 'is_not_empty') }), field('cf.born', { required_when: when('kind', 'in', ['person']) })]
  const names = (values: Record<string, unknown>, of = fields) => fitting(entity(of), 'UTC')([of], values).flat().map((f) => (f.required ? `${f.name}!` : f.name))
  it('come and go with what the record says', () => {
    expect(names({})).toEqual(['kind', 'cf.born'])
    expect(names({ kind: 'gold' })).toEqual(['kind', 'cf.card!', 'cf.born'])
    expect(names({ kind: 'gold', 'cf.card': 'V' })).toEqual(['kind', 'cf.card!', 'cf.gate', 'cf.born'])
    expect(names({ kind: 'person' })).toEqual(['kind', 'cf.born!'])
  })
  it('what is not there holds nothing for those that rest on it', () => {
    expect(names({ kind: 'silver', 'cf.card': 'V' })).toEqual(['kind', 'cf.born'])
  })
  it('what the page cannot ask is left to the server: the field is there, and not required', () => {
    const asked = [field('kind'), field('cf.a', { visible_when: when('kind', 'matches', '^g') }), field('cf.b', { required: true, required_when: when('lines', 'is_not_empty') })]
    expect(names({ kind: 'silver' }, asked)).toEqual(['kind', 'cf.a', 'cf.b'])
    expect(names({}, [field('kind'), field('cf.c', { visible_when: { operator: 'NOT', rules: [when('kind', 'equals', 'x')] } as unknown as Condition })])).toEqual(['kind', 'cf.c'])
  })
})
