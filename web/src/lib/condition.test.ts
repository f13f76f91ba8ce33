import { describe, expect, it } from 'vitest'
import type { Condition, Rule } from '@/meta/types'
import shared from '../../../crates/conditions/tests/it/cases.json'
import { compile, understood, type Kind } from './condition'

interface Cases { now: string; zone: string; kinds: Record<string, Kind>; cases: [Condition | Rule, Record<string, unknown>, boolean][] }
// The server's own cases: crates/conditions/tests/it/cases.rs holds it against the same.
const { now, zone, kinds, cases } = shared as unknown as Cases
const clock = { now: new Date(now), zone }
const is = (c: Rule | Condition, row: Record<string, unknown>) => compile(c, (f) => kinds[f], clock)(row)
const ask = (field: string, operator: string, value?: unknown): Rule => ({ field, operator, ...(value === undefined ? {} : { value }) })

describe('conditions on the page mean what they mean to the server', () => {
  it('every case of the server', () => {
    expect(cases.filter(([c, row, holds]) => is(c, row) !== holds)).toEqual([])
    expect(cases.length).toBeGreaterThan(100)
  })
  it('an unknown field or operator is never true, and is known to be unknown', () => {
    const known = (c: Rule) => understood(c, (f) => kinds[f], clock)
    expect([ask('nope', 'equals', 'x'), ask('t', 'matches', 'x'), ask('t', 'equals', 'x')].map((c) => [is(c, { nope: 'x', t: 'y' }), known(c)])).toEqual([[false, false], [false, false], [false, true]])
  })
})
