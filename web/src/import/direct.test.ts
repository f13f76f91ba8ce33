import { expect, it } from 'vitest'
import { slices } from './direct'

it('a file goes in parts that each have its heading', () => {
  const parts = slices(['date,USD', ...Array.from({ length: 501 }, (_, i) => `d${i},1`), ''].join('\r\n'))
  expect(parts.map((p) => p.split('\n').length - 1)).toEqual([250, 250, 1])
  expect(parts.every((p) => p.startsWith('date,USD\n'))).toBe(true)
  expect(slices('date')).toEqual(['date'])
})
