import { describe, expect, it } from 'vitest'
import { readable, stepsOf } from './steps'

const l = { locale: 'en-US', zone: 'UTC' } as Parameters<typeof readable>[1]

describe('steps of a reckoning', () => {
  it('are read out of what has them, and of nothing else', () => {
    expect(stepsOf({ steps: [{ step: 'rate', result: '5' }], amount: '5' })).toHaveLength(1)
    for (const other of [null, undefined, 'x', {}, { steps: [] }, { steps: 'rate' }, { steps: [{ result: '5' }] }, { steps: [null] }]) expect(stepsOf(other)).toBeUndefined()
  })
  it('show numbers and days in the way of the reader, and names as they are', () => {
    expect(readable('12345.5', l)).toBe('12,345.50')
    expect(readable('DLID0001', l)).toBe('DLID0001')
    expect(readable('2026-03-01', l)).not.toBe('2026-03-01')
    expect(readable(undefined, l)).toBe('')
  })
})
