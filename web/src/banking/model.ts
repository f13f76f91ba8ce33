import { act, bulk, list, type BulkResult } from '@/api/records'
import { get, post } from '@/api/http'
import type { Condition, Row } from '@/meta/types'

// This page is of one module, and names its entities; the views and records of all do not.
export const ACCOUNTS = 'banking.bank_accounts'
export const LINES = 'banking.statement_lines'

export interface Line extends Row { booked_on: string; amount: string; currency: string; counterparty: string | null; text: string | null; iban: string | null; reference: string | null; status: string; bank_account_id: string }
export interface Account extends Row { name: string; currency: string; kind: string; iban: string | null }
export interface Item { payment_id?: string; entry_id?: string; invoice_id?: string; party_id?: string; account_id?: string; amount?: string; memo?: string }
export interface Reason { code: string; value: string }
export interface Suggestion { score: number; is_sure: boolean; title: string; reasons: Reason[]; items: Item[]; rest: string }
export interface Document { kind: 'invoice' | 'payment'; id: string; number: string; party: string; amount: string; currency: string; on: string }
export interface Standing { difference: string; unexplained: string; in_books: string; at_bank: string }
/** A part of a line as it is being written. */
export interface Part { key: number; item: Item; title: string; amount: string }

const both = (...rules: Condition['rules']): Condition => ({ operator: 'AND', rules })
export const ofAccount = (account: string, status: string): Condition => both({ field: 'bank_account_id', operator: 'equals', value: account }, { field: 'status', operator: 'equals', value: status })

export const accounts = (): Promise<Account[]> => list(ACCOUNTS, { filter: both({ field: 'is_active', operator: 'equals', value: true }), sort: 'name', limit: 200 }).then((p) => p.data as Account[])
export const openLines = (account: string): Promise<{ lines: Line[]; open: number }> =>
  list(LINES, { filter: ofAccount(account, 'open'), sort: 'booked_on,position', limit: 200, count: 'exact' }).then((p) => ({ lines: p.data as Line[], open: p.count?.value ?? p.data.length }))
export const matchedCount = (account: string): Promise<number> => list(LINES, { filter: ofAccount(account, 'matched'), limit: 1, count: 'exact' }).then((p) => p.count?.value ?? 0)
export const suggestions = (line: string): Promise<Suggestion[]> => post<{ suggestions: Suggestion[] }>('/banking/_call/suggestions', { line_id: line }).then((a) => a.suggestions)
export const documents = (line: string, q: string): Promise<Document[]> => post<{ rows: Document[] }>('/banking/_call/documents', { line_id: line, q }).then((a) => a.rows)
export const standing = (account: string): Promise<Standing> => post<Standing>('/banking/_call/reconciliation', { account_id: account })
export const match = (line: Line, items: Item[]): Promise<Row> => act(LINES, line, 'match', { items })
export const undoMatch = async (id: string): Promise<void> => { await act(LINES, await get<Row>(`/banking/statement_lines/${id}`), 'undo', {}) }
export const takeAll = (account: string): Promise<BulkResult> => bulk(LINES, { action: 'take', filter: ofAccount(account, 'open') })
export const bringIn = (account: Account, text: string, file_name: string): Promise<Row> => act(ACCOUNTS, account, 'take_in', { text, file_name })

/** Files of banks are UTF-8, or in the alphabet of the country; XML says which. */
export function decode(bytes: ArrayBuffer): string {
  const head = new TextDecoder('latin1').decode(bytes.slice(0, 200))
  const said = /encoding=["']([\w-]+)["']/i.exec(head)?.[1]
  if (said) try { return new TextDecoder(said).decode(bytes) } catch { /* no such alphabet: as any other file */ }
  try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes) } catch { return new TextDecoder('windows-1251').decode(bytes) }
}

const DIGITS = 6
const units = (amount: string): bigint => {
  const [whole = '0', part = ''] = amount.replace('-', '').split('.')
  const n = BigInt(whole + part.padEnd(DIGITS, '0').slice(0, DIGITS))
  return amount.startsWith('-') ? -n : n
}
/** `whole` less the parts, exactly. */
export function left(whole: string, parts: string[]): string {
  const n = parts.reduce((rest, p) => rest - units(p), units(whole))
  const size = (n < 0n ? -n : n).toString().padStart(DIGITS + 1, '0')
  const text = `${size.slice(0, -DIGITS)}.${size.slice(-DIGITS)}`.replace(/\.?0+$/, '')
  return (n < 0n ? '-' : '') + text
}
/** A document's part of a line: all of it, signed as the line. */
export const signed = (line: Line, amount: string): string => (line.amount.startsWith('-') ? `-${amount}` : amount)
/** What is sent: a document for all that is open of it needs no amount said, and payments never do. */
export const itemsOf = (parts: Part[]): Item[] => parts.map((p) => (p.item.payment_id || p.item.entry_id ? p.item : { ...p.item, amount: p.amount }))
