import { describe, expect, it } from 'vitest'
import { decode, itemsOf, left, signed, type Line } from './model'

const bytes = (b: number[]): ArrayBuffer => new Uint8Array(b).buffer

describe('what is left of a line', () => {
  it('is exact, whatever the parts', () => {
    expect(left('0.3', ['0.1', '0.2'])).toBe('0')
    expect(left('147.50', ['100', '50', '-2.5'])).toBe('0')
    expect(left('-12.40', ['-12'])).toBe('-0.4')
    expect(left('9007199254740993.01', ['1'])).toBe('9007199254740992.01')
  })
})
describe('a file', () => {
  it('is read in the alphabet that it is in', () => {
    expect(decode(new TextEncoder().encode('Дата').buffer as ArrayBuffer)).toBe('Дата')
    expect(decode(bytes([0xc4, 0xe0, 0xf2, 0xe0]))).toBe('Дата')
    const xml = [...new TextEncoder().encode('<?xml version="1.0" encoding="iso-8859-1"?><a>'), 0xe4]
    expect(decode(bytes(xml))).toContain('ä')
  })
})
describe('parts', () => {
  it('are signed as the line, and payments are whole', () => {
    expect(signed({ amount: '-5' } as Line, '3')).toBe('-3')
    expect(itemsOf([{ key: 1, item: { payment_id: 'p' }, title: '', amount: '5' }, { key: 2, item: { account_id: 'a' }, title: '', amount: '-1' }])).toEqual([{ payment_id: 'p' }, { account_id: 'a', amount: '-1' }])
  })
})
