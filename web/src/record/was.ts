import type { Field } from '@/meta/types'

const NUMBERS = new Set(['money', 'number', 'integer', 'percent', 'quantity'])
const empty = (v: unknown): boolean => v === null || v === undefined || v === '' || (Array.isArray(v) && v.length === 0)

/** Whether what the history remembers is something else than what the record says now: 10.50 is "10.5". */
export function differs(old: unknown, now: unknown): boolean {
  if (empty(old) || empty(now)) return empty(old) !== empty(now)
  if (typeof old === 'object' || typeof now === 'object') return JSON.stringify(old) !== JSON.stringify(now)
  const [a, b] = [String(old), String(now)]
  if (a === b) return false
  if (/^-?\d+(\.\d+)?$/.test(a) && /^-?\d+(\.\d+)?$/.test(b)) return plain(a) !== plain(b)
  if (/^\d{4}-\d\d-\d\dT/.test(a) && /^\d{4}-\d\d-\d\dT/.test(b)) return Date.parse(a) !== Date.parse(b)
  return true
}
const plain = (n: string): string => (n.includes('.') ? n.replace(/0+$/, '').replace(/\.$/, '') : n).replace(/^-?0+(?=\d)/, '').replace(/^-0$/, '0')

/** An old value as the server takes one: decimals are texts, integers are not. */
export function wire(f: Field, old: unknown): unknown {
  if (empty(old)) return Array.isArray(old) ? old : null
  if (NUMBERS.has(f.type) && f.type !== 'integer') return String(old)
  return old
}
