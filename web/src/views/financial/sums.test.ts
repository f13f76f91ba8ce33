import { expect, it } from 'vitest'
import type { Field } from '@/meta/types'
import type { Dim, Fact } from '../pivot/cube'
import { minus, periodsOf, plus } from './sums'

it('decimals are added without a float between', () => {
  expect([plus('0.1', '0.2'), plus('-5', '3.25'), plus('99999999999999999.99', '0.01'), plus('-0.5', '0.25'), minus('5'), minus('-2.5'), minus('0.00')]).toEqual(['0.3', '-1.75', '100000000000000000.00', '-0.25', '-5', '2.5', '0.00'])
})
it('periods run on, what goes out is taken off, the balance follows', () => {
  const d: Dim = { id: 'day:month', field: { name: 'day', type: 'date' } as Field, via: undefined, bucket: 'month', asked: 'day:month', key: 'day' }
  const fact = (key: string, kind: string, value: string): Fact => ({ at: [key, kind], raw: [key, kind], sums: [[{ currency: 'KZT', value }, { currency: 'USD', value: '999' }]] })
  const all = periodsOf(d, [fact('2026-01-01', 'in', '100.50'), fact('2026-03-01', 'in', '50'), fact('2026-03-01', 'out', '30.25')], 'KZT', new Set(['out']), (k) => ({ '2026-03-01': '2026-01-01' })[k] ?? '')
  expect(all.map((p) => [p.key, p.total, p.balance])).toEqual([['2026-01-01', '100.50', '100.50'], ['2026-02-01', '0', '100.50'], ['2026-03-01', '19.75', '120.25']])
  expect(Math.round(all[2]!.change!)).toBe(-80)
})
