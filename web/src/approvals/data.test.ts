import { expect, it } from 'vitest'
import { needsWords, urgency } from './data'

it('says how near the end is', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  expect(urgency(null, now)).toBe('none')
  expect(urgency('2026-03-03T12:00:00Z', now)).toBe('later')
  expect(urgency('2026-03-02T11:59:00Z', now)).toBe('soon')
  expect(urgency('2026-03-01T11:59:59Z', now)).toBe('over')
})
it('wants a word of whoever says no', () => {
  expect((['approve', 'reject', 'return', 'ask', 'delegate'] as const).filter(needsWords)).toEqual(['reject', 'return', 'ask'])
})
