import { expect, it } from 'vitest'
import { mornings } from './inbox'

it('tomorrow and next Monday, at nine by the clock of the person', () => {
  // A Saturday evening in UTC is Sunday in Almaty.
  expect(mornings('Asia/Almaty', '2026-11-21T20:00:00Z')).toEqual({ today: '2026-11-22', tomorrow: '2026-11-23T04:00:00.000Z', week: '2026-11-23T04:00:00.000Z' })
  expect(mornings('UTC', '2026-11-23T08:00:00Z')).toEqual({ today: '2026-11-23', tomorrow: '2026-11-24T09:00:00.000Z', week: '2026-11-30T09:00:00.000Z' })
  // The clock goes forward that night.
  expect(mornings('Europe/Berlin', '2026-03-28T12:00:00Z').tomorrow).toBe('2026-03-29T07:00:00.000Z')
})
