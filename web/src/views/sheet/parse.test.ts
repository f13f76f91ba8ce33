import { describe, expect, it } from 'vitest'
import type { Field } from '@/meta/types'
import { readBlock, readCell, readDate, readInstant, readNumber, same, writeBlock } from './parse'

const field = (type: string, more: Partial<Field> = {}): Field => ({ name: 'f', label: 'F', type, required: false, readonly: false, access: 'write', filterable: true, sortable: true, custom: false, unique: false, ...more })
const l = { locale: 'en-US', zone: 'Asia/Almaty', currency: 'KZT' }

describe('what a spreadsheet has on the clipboard', () => {
  it('is cells in lines; the last line ends too', () => {
    expect(readBlock('a\tb\r\nc\t\r\n')).toEqual([['a', 'b'], ['c', '']])
    expect(readBlock('one')).toEqual([['one']])
    expect(readBlock('a\n\nb')).toEqual([['a'], [''], ['b']])
  })
  it('has in quotes what holds lines, tabs or quotes, and a quote inside a word is a quote', () => {
    expect(readBlock('"two\nlines"\t"say ""hi"""\t5" pipe')).toEqual([['two\nlines', 'say "hi"', '5" pipe']])
    const block = [['a\tb', 'c"d', 'e\nf'], ['', 'x', 'y']]
    expect(readBlock(writeBlock(block))).toEqual(block)
  })
})

describe('a cell is what its field understands', () => {
  it('numbers as people and programs write them', () => {
    expect(['1,234.50', '$1,234.50', '(5)', '12 %', '1234.5 USD', '−3', '₸ 7', 'abc', '12 apples'].map((s) => readNumber(s, 'en-US'))).toEqual(['1234.50', '1234.50', '-5', '12', '1234.5', '-3', '7', null, null])
    expect(['1 234,50', '1\u00a0234,5', '1.234,5', '1234.5'].map((s) => readNumber(s, 'ru'))).toEqual(['1234.50', '1234.5', '1234.5', '1234.5'])
    expect([readCell(field('integer'), '12.00', l), readCell(field('integer'), '12.5', l)]).toEqual([{ value: 12 }, { problem: 'sheet.notWhole' }])
  })
  it('days in the order of the person, or of whoever wrote them', () => {
    expect([readDate('2026-11-05', 'en-US'), readDate('11/5/2026', 'en-US'), readDate('5/11/2026', 'en-GB'), readDate('05.11.2026', 'en-US'), readDate('25/11/2026', 'en-US'), readDate('5.11.26', 'ru'), readDate('Nov 5, 2026', 'en-US'), readDate('5 нояб. 2026 г.', 'ru'), readDate('5 ноября 2026', 'ru')]).toEqual(Array.from({ length: 9 }, (_, i) => (i === 4 ? '2026-11-25' : '2026-11-05')))
    expect([readDate('31.02.2026', 'ru'), readDate('soon', 'en'), readDate('', 'en')]).toEqual([null, null, null])
    expect([readInstant('2026-11-05 10:30', l), readInstant('11/5/2026, 3:05 PM', l), readInstant('2026-11-05T05:30:00Z', l), readInstant('2026-11-05 25:00', l)]).toEqual(['2026-11-05T05:30:00.000Z', '2026-11-05T10:05:00.000Z', '2026-11-05T05:30:00Z', null])
  })
  it('choices by their name or their id, relations by what they are called', () => {
    const options = [{ id: 'won', label: 'Gewonnen' }, { id: 'lost', label: 'Lost' }]
    expect([readCell(field('select', { options }), 'gewonnen', l), readCell(field('select', { options }), 'WON', l), readCell(field('select', { options }), 'other', l), readCell(field('multiselect', { options }), 'Lost; won', l)]).toEqual([{ value: 'won' }, { value: 'won' }, { problem: 'sheet.notOption' }, { value: ['lost', 'won'] }])
    expect([readCell(field('relation', { ref: { entity: 'x.y' } }), ' Orbit ', l), readCell(field('tags'), 'a, b, a', l), readCell(field('boolean'), 'Да', l), readCell(field('boolean'), 'maybe', l), readCell(field('text'), '', l)]).toEqual([{ look: 'Orbit' }, { value: ['a', 'b'] }, { value: true }, { problem: 'sheet.notBoolean' }, { value: null }])
  })
  it('the same, however it is written, is no change', () => {
    expect([same(field('money'), '1.50', '1.5'), same(field('text'), null, ''), same(field('datetime'), '2026-11-05T05:30:00Z', '2026-11-05T05:30:00.000Z'), same(field('tags'), null, []), same(field('number'), '0', null)]).toEqual([true, true, true, true, false])
  })
})
