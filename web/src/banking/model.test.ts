import { describe, expect, it } from 'vitest'
import { busiest, decode, firstRows, headingOf, itemsOf, left, ruleFrom, signed, treeOf, type Account, type Line } from './model'

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
describe('a rule from a line', () => {
  const line = { amount: '-1250', text: 'Комиссия за ведение счёта 03.2026', counterparty: null, iban: null, bank_account_id: 'b' } as Line
  it('asks what stays the same, and leads where the line does', () => {
    const rule = ruleFrom(line, [{ key: 1, item: { account_id: 'a' }, title: '', amount: '-1250' }])
    expect(rule.name).toBe('Комиссия за ведение счёта')
    expect(rule.condition.rules).toEqual([{ field: 'text', operator: 'contains_ci', value: 'Комиссия за ведение счёта' }, { field: 'amount', operator: 'less_than', value: '0' }])
    expect(rule.account_id).toBe('a')
    expect(ruleFrom({ ...line, iban: 'KZ1', amount: '5' }, []).condition.rules).toEqual([{ field: 'iban', operator: 'equals', value: 'KZ1' }, { field: 'amount', operator: 'greater_than', value: '0' }])
  })
  it('is written by a tree, also where it was one question', () => {
    expect(treeOf({ field: 'text', operator: 'equals', value: 'x' }).rules).toHaveLength(1)
    expect(treeOf({} as never).rules).toHaveLength(0)
  })
})
describe('a table of a bank', () => {
  it('is cut at what most rows have, and its headings are found', () => {
    const rows = firstRows('\uFEFFAccount;KZ86\r\nWhen;What it is;"How; much"\r\n02.03.2026;Rope, and hooks;"1 160,00"\r\n')
    expect(rows[1]).toEqual(['When', 'What it is', 'How; much'])
    expect(rows[2]).toEqual(['02.03.2026', 'Rope, and hooks', '1 160,00'])
    expect(headingOf(rows)).toBe(1)
  })
})
describe('where one begins', () => {
  it('is where there is most to do, else a bank', () => {
    const all = [{ id: 'cash', kind: 'cash' }, { id: 'bank', kind: 'bank' }] as Account[]
    expect(busiest(all, new Map())?.id).toBe('bank')
    expect(busiest(all, new Map([['cash', 2]]))?.id).toBe('cash')
  })
})
