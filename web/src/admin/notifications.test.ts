import { expect, it } from 'vitest'
import { middle } from '@/lib/picture'
import { wished } from './notifications'

it('what was not said is in the product and not by mail', () => {
  expect([wished({}, 'mention', 'in_app'), wished({}, 'mention', 'email')]).toEqual([true, false])
})
it('a kind goes before all others', () => {
  const wishes = { '*': { email: true, in_app: false }, approval: { in_app: true } }
  expect([wished(wishes, 'approval', 'in_app'), wished(wishes, 'approval', 'email'), wished(wishes, 'mention', 'in_app')]).toEqual([true, true, false])
})
it('the middle of a picture is kept', () => {
  expect(middle(400, 300)).toEqual({ x: 50, y: 0, side: 300 })
  expect(middle(3, 8)).toEqual({ x: 0, y: 2, side: 3 })
})
