import { expect, it } from 'vitest'
import type { Entity, Field, Row } from '@/meta/types'
import { finals, healthOf, shareOf } from './health'

const due = { name: 'due', type: 'date' } as Field
const move = (action: string, from: string, to: string) => ({ action, label: action, from, to })
const entity = { states: { field: 'status', options: ['new', 'work', 'done', 'back', 'off'].map((id) => ({ id, label: id })), moves: [move('begin', 'new', 'work'), move('finish', 'work', 'done'), move('return', 'done', 'back'), move('cancel', 'new', 'off')] } } as unknown as Entity

it('work is over where nothing leads on', () => expect(finals(entity)).toEqual(['done', 'back', 'off']))
it('health is said by the day and the state', () => {
  const of = (status: string, day: string | null) => healthOf(entity, due, { id: '1', status, due: day } as Row, null, '2026-11-21', finals(entity))
  expect([of('work', '2026-11-20'), of('work', '2026-11-21'), of('work', '2026-12-24'), of('work', null), of('done', '2020-01-01')]).toEqual(['late', 'soon', 'well', 'open', 'over'])
})
it('how far along is never more than all of it', () => {
  const f = (name: string, type: string) => ({ name, type }) as Field
  expect([shareOf({ id: '1', a: '5', b: '10' }, f('a', 'quantity'), f('b', 'quantity')), shareOf({ id: '1', a: '12', b: '10' }, f('a', 'quantity'), f('b', 'quantity')), shareOf({ id: '1', a: '40' }, f('a', 'percent'), undefined), shareOf({ id: '1', a: '1', b: '0' }, f('a', 'money'), f('b', 'money')), shareOf({ id: '1' }, undefined, undefined)]).toEqual([0.5, 1, 0.4, null, null])
})
