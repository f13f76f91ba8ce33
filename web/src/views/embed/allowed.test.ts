import { expect, it } from 'vitest'
import { mayFrame, safeUrl } from './allowed'

it('only closed lines are framed, and only where the page allows it', () => {
  expect(['https://a.test/x', 'http://a.test', 'javascript:alert(1)', 'data:text/html,x', '', null].map(safeUrl)).toEqual(['https://a.test/x', null, null, null, null, null])
  expect(mayFrame("default-src 'self'; img-src *", 'https://a.test/')).toBe(false)
  expect(mayFrame("default-src 'self'; frame-src https:", 'https://a.test/')).toBe(true)
  expect(mayFrame("default-src 'self'; frame-src https://*.test", 'https://b.a.test/')).toBe(true)
  expect([mayFrame('', 'https://a.test/'), mayFrame("frame-src 'none'", 'https://a.test/')]).toEqual([true, false])
})
