import { act, aggregate, bulk, list, type BulkResult } from '@/api/records'
import { get, post, Problem } from '@/api/http'
import { formatDate, formatMoney, type Locale } from '@/lib/format'
import type { Condition, Field, Row, Rule as Asked } from '@/meta/types'

// This page is of one module, and names its entities; the views and records of all do not.
export const ACCOUNTS = 'banking.bank_accounts'
export const LINES = 'banking.statement_lines'
export const RULES = 'banking.reconciliation_rules'

const pointer = (entity: string, title: string): Field => ({ name: '', label: '', type: 'relation', required: true, readonly: false, access: 'write', ref: { entity, title_field: title }, filterable: false, sortable: false, custom: false, unique: false })
export const ACCOUNT = pointer('ledger.ledger_accounts', 'name')
export const PARTY = pointer('parties.parties', 'name')
export const TAX = pointer('products.taxes', 'name')

export interface Line extends Row { booked_on: string; amount: string; currency: string; counterparty: string | null; text: string | null; iban: string | null; reference: string | null; status: string; bank_account_id: string }
export interface Account extends Row { name: string; currency: string; kind: string; iban: string | null }
export interface Item { payment_id?: string; entry_id?: string; invoice_id?: string; party_id?: string; account_id?: string; amount?: string; memo?: string }
export interface Reason { code: string; value: string }
export interface Suggestion { score: number; is_sure: boolean; title: string; reasons: Reason[]; items: Item[]; rest: string }
export interface Document { kind: 'invoice' | 'payment'; id: string; number: string; party: string; amount: string; currency: string; on: string }
export interface Standing {
  as_of: string; difference: string; unexplained: string; in_books: string; at_bank: string; statement: { id: string; number: string; through_on: string; closing: string } | null
  not_at_bank: { entry_id: string; number: string | null; on: string; description: string | null; amount: string }[]
  not_in_books: { line_id: string; on: string; text: string | null; status: string; amount: string }[]
}
/** What lines mean that look alike. */
export interface MatchRule { name: string; condition: Condition; account_id: string | null; party_id: string | null; tax_id: string | null; bank_account_id: string | null; memo: string | null; position: number; is_sure: boolean; is_active: boolean }
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
export const standing = (account: string, as_of?: string): Promise<Standing> => post<Standing>('/banking/_call/reconciliation', { account_id: account, as_of })
/** How many lines wait, by account. */
export const waiting = (): Promise<Map<string, number>> =>
  aggregate(LINES, { group_by: ['bank_account_id'], metrics: [{ function: 'count', as: 'n' }], filter: both({ field: 'status', operator: 'equals', value: 'open' }), limit: 500 }).then((r) => new Map(r.data.map((x) => [String(x.bank_account_id), Number(x.n)])))
/** Where there is most to do; else a bank, and not the cash desk. */
export const busiest = (all: Account[], open: Map<string, number>): Account | undefined =>
  [...all].sort((a, b) => (open.get(b.id) ?? 0) - (open.get(a.id) ?? 0) || Number(b.kind === 'bank') - Number(a.kind === 'bank'))[0]
export const match = (line: Line, items: Item[]): Promise<Row> => act(LINES, line, 'match', { items })
export const undoMatch = async (id: string): Promise<void> => { await act(LINES, await get<Row>(`/banking/statement_lines/${id}`), 'undo', {}) }
export const takeAll = (account: string): Promise<BulkResult> => bulk(LINES, { action: 'take', filter: ofAccount(account, 'open') })
export type Mapping = Record<string, string | boolean>
export const bringIn = (account: Account, text: string, file_name: string, mapping?: Mapping): Promise<Row> => act(ACCOUNTS, account, 'take_in', { text, file_name, ...(mapping ? { mapping } : {}) })
/** A table whose columns the server does not know by their headings. */
export const isUnknownTable = (e: unknown): boolean => e instanceof Problem && e.errors.some((x) => x.field === 'mapping')
export const rules = (): Promise<Row[]> => list(RULES, { sort: 'position,name', limit: 200, expand: 'account,party' }).then((p) => p.data)
/** How many of the open lines a rule would speak of. */
export const fits = (condition: Condition, account: string | null): Promise<number> =>
  list(LINES, { filter: both(condition, { field: 'status', operator: 'equals', value: 'open' }, ...(account ? [{ field: 'bank_account_id', operator: 'equals', value: account }] : [])), limit: 1, count: 'exact' }).then((p) => p.count?.value ?? 0)

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

// ---- rules ----------------------------------------------------------------------------------------------------------
/** What a rule may ask of a line. */
export const ASKABLE = ['counterparty', 'text', 'iban', 'amount', 'reference', 'bic', 'end_to_end', 'creditor_reference', 'booked_on', 'value_on']
/** A condition is a tree, or one question alone. */
export const treeOf = (c: Condition | Asked | null | undefined): Condition => (!c ? both() : 'rules' in c ? c : 'field' in c ? both(c) : both())
/** The longest run of words without numbers: what stays the same from month to month. */
export const steady = (text: string): string => text.split(/\S*\d\S*/).map((s) => s.trim().replace(/^[\s.,:;/-]+|[\s.,:;/-]+$/g, '')).sort((a, b) => b.length - a.length)[0] ?? ''
/** A rule for lines like this one, leading where its parts lead. */
export function ruleFrom(line: Line, parts: Part[]): MatchRule {
  const words = steady(line.text ?? '')
  const known: Asked = line.iban ? { field: 'iban', operator: 'equals', value: line.iban }
    : line.counterparty ? { field: 'counterparty', operator: 'contains_ci', value: line.counterparty }
    : { field: 'text', operator: 'contains_ci', value: words || line.text }
  const to = parts.find((p) => p.item.account_id || p.item.party_id)?.item
  return {
    name: (line.counterparty || words || line.text || '').slice(0, 100), condition: both(known, { field: 'amount', operator: line.amount.startsWith('-') ? 'less_than' : 'greater_than', value: '0' }),
    account_id: to?.account_id || null, party_id: to?.party_id || null, tax_id: null, bank_account_id: line.bank_account_id, memo: null, position: 10, is_sure: false, is_active: true,
  }
}

/** A reason's figure as people write it. */
export function figure(r: Reason, line: Line, locale: Locale): string {
  if (['amount', 'fee', 'part'].includes(r.code)) return formatMoney(r.value, locale, line.currency)
  return r.code === 'date' ? formatDate(r.value, locale) : r.value
}

// ---- tables ---------------------------------------------------------------------------------------------------------
/** The first rows of a table of values, for people to say which column is what. */
export function firstRows(text: string, most = 40): string[][] {
  const head = text.replace(/^\uFEFF/, '').split(/\r?\n/).filter((l) => l.trim()).slice(0, most)
  const count = (d: string) => head.reduce((n, l) => n + l.split(d).length - 1, 0)
  const by = [';', '\t', ',', '|'].reduce((a, b) => (count(b) > count(a) ? b : a))
  return head.map((l) => {
    const cells: string[] = []
    for (let rest = l; ;) {
      const quoted = /^\s*"((?:[^"]|"")*)"\s*/.exec(rest)
      const end = rest.indexOf(by, quoted?.[0].length ?? 0)
      cells.push(quoted ? quoted[1]!.replaceAll('""', '"') : (end < 0 ? rest : rest.slice(0, end)).trim())
      if (end < 0) return cells
      rest = rest.slice(end + 1)
    }
  })
}
/** The row with the most words and no number: headings. */
export function headingOf(rows: string[][]): number {
  const worth = rows.map((r) => r.filter((c) => c && !/^[\d\s.,:/-]+$/.test(c)).length - r.filter((c) => /\d/.test(c)).length)
  return Math.max(0, worth.indexOf(Math.max(...worth)))
}
