import { describe, expect, it } from 'vitest'
import { actionAt, placeAfter } from './keys'

const plain = { ctrlKey: false, metaKey: false, altKey: false, target: null }

describe('the keys of a review', () => {
  it('name the actions by their numbers', () => {
    expect(actionAt('1', 3, plain)).toBe(0)
    expect(actionAt('3', 3, plain)).toBe(2)
    for (const key of ['0', '4', 'a', 'Enter']) expect(actionAt(key, 3, plain)).toBeUndefined()
  })
  it('leave what is written alone, and keys of the browser', () => {
    expect(actionAt('1', 3, { ...plain, ctrlKey: true })).toBeUndefined()
    expect(actionAt('1', 3, { ...plain, target: document.createElement('input') })).toBeUndefined()
    const inside = document.createElement('button')
    document.createElement('div').appendChild(inside).parentElement!.setAttribute('role', 'dialog')
    expect(actionAt('1', 3, { ...plain, target: inside })).toBeUndefined()
  })
  it('stay in the list when the last one has left it', () => {
    expect([placeAfter(2, 3), placeAfter(2, 2), placeAfter(0, 0)]).toEqual([2, 1, 0])
  })
})
