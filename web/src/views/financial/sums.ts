import { filled, sumIn } from '../dashboard/data'
import type { Dim, Fact } from '../pivot/cube'

/** Decimals as the server writes them, added without a float between. */
export function plus(a: string, b: string): string {
  const [x, y] = [a, b].map((s) => { const [w = '0', p = ''] = s.replace('-', '').split('.'); return { neg: s.startsWith('-'), w, p } }) as [{ neg: boolean; w: string; p: string }, { neg: boolean; w: string; p: string }]
  const digits = Math.max(x.p.length, y.p.length)
  const n = (v: typeof x) => BigInt(v.w + v.p.padEnd(digits, '0')) * (v.neg ? -1n : 1n)
  const sum = n(x) + n(y)
  const text = (sum < 0n ? -sum : sum).toString().padStart(digits + 1, '0')
  return (sum < 0n ? '-' : '') + (digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text)
}
export const minus = (a: string): string => (a.startsWith('-') ? a.slice(1) : /^0*(\.0*)?$/.test(a) ? a : `-${a}`)

export interface Period { key: string; by: Record<string, string>; total: string; balance: string; change: number | null }
/** Periods one after another: what came, what went, what stands. */
export function periodsOf(d: Dim, facts: Fact[], currency: string | null, less: Set<string>, back: (key: string) => string): Period[] {
  const totals = new Map<string, Record<string, string>>()
  for (const f of facts) {
    const [key = '', category = ''] = f.at
    const sum = sumIn(f, currency)
    if (!key || !sum) continue
    const row = totals.get(key) ?? {}
    row[category] = less.has(category || '-') ? minus(sum.value) : sum.value
    totals.set(key, row)
  }
  let balance = '0'
  const all = new Map<string, string>()
  const keys = filled([...totals.keys()], d)
  return keys.sort().map((key) => {
    const by = totals.get(key) ?? {}
    const total = Object.values(by).reduce(plus, '0')
    balance = plus(balance, total)
    all.set(key, total)
    const before = all.get(back(key))
    const was = Number(before ?? 0)
    return { key, by, total, balance, change: before === undefined || was === 0 ? null : ((Number(total) - was) / Math.abs(was)) * 100 }
  })
}
