import { useEffect, useRef, useState } from 'react'
import { useLocale } from '@/lib/format'
import { editDecimal, parseDecimal } from '@/lib/decimal'
import type { CellProps, InputProps, Operator } from './registry'

export const one = (...names: string[]): Operator[] => names.map((name) => ({ name, operand: 'one' }))
export const none = (...names: string[]): Operator[] => names.map((name) => ({ name, operand: 'none' }))
export const emptiness = none('is_empty', 'is_not_empty')
export const textOperators: Operator[] = [...one('contains_ci', 'equals', 'not_equals', 'starts_with', 'ends_with'), ...emptiness]
export const numberOperators: Operator[] = [...one('equals', 'not_equals', 'greater_than', 'greater_or_equal', 'less_than', 'less_or_equal'), { name: 'between', operand: 'two' }, ...emptiness]
export const dateOperators: Operator[] = [
  ...one('equals', 'before', 'after', 'on_or_before', 'on_or_after'), { name: 'between', operand: 'two' },
  ...none('is_today', 'this_week', 'this_month', 'this_quarter', 'this_year'), { name: 'within_last', operand: 'days' }, { name: 'within_next', operand: 'days' }, ...emptiness,
]
export const choiceOperators: Operator[] = [{ name: 'in', operand: 'many' }, { name: 'not_in', operand: 'many' }, ...emptiness]

export const text = (v: unknown): string => (v === null || v === undefined ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v))

export function Txt({ children, title }: { children: string; title?: string }) {
  return <span className="txt" title={title ?? (children.length > 24 ? children : undefined)}>{children}</span>
}
export const TextCell = ({ value }: CellProps) => <Txt>{text(value)}</Txt>

export const aria = (p: InputProps) => ({ id: p.id, 'aria-invalid': p.invalid, 'aria-describedby': p.describedBy, 'aria-label': p.label, 'aria-required': p.field.required || undefined })

/** Focuses once, and puts the caret where it is expected: all selected, or after the character that opened it. */
export function useAutoFocus<T extends HTMLInputElement | HTMLTextAreaElement>(on: boolean | undefined, typed?: string) {
  const ref = useRef<T>(null)
  useEffect(() => {
    if (!on || !ref.current) return
    ref.current.focus()
    if (typed === undefined) ref.current.select?.()
  }, [on])
  return ref
}

export function TextInput({ p, type = 'text', inputMode }: { p: InputProps; type?: string; inputMode?: 'text' | 'email' | 'tel' | 'url' | 'numeric' }) {
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus, p.typed)
  useEffect(() => { if (p.typed !== undefined) p.onChange(p.typed) }, [])
  return <input ref={ref} {...aria(p)} className="input" type={type === 'email' || type === 'url' ? 'text' : type} inputMode={inputMode} maxLength={p.field.max_length ?? undefined} autoComplete="off" value={text(p.value)} onChange={(e) => p.onChange(e.target.value === '' ? null : e.target.value)} />
}

/** A decimal in the person's own notation; what is no number is passed on as typed, and the server says so at the field. */
export function NumberInput({ p, integer, suffix, keep = 0 }: { p: InputProps; integer?: boolean; suffix?: string; keep?: number }) {
  const { locale } = useLocale()
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus, p.typed)
  const [draft, setDraft] = useState<string | null>(p.typed ?? null)
  const change = (s: string) => {
    setDraft(s)
    const n = parseDecimal(s, locale)
    p.onChange(s.trim() === '' ? null : n === null ? s : integer && /^-?\d+$/.test(n) && Math.abs(Number(n)) <= Number.MAX_SAFE_INTEGER ? Number(n) : n)
  }
  useEffect(() => { if (p.typed !== undefined) change(p.typed) }, [])
  const input = (
    <input ref={ref} {...aria(p)} className="input num" inputMode={integer ? 'numeric' : 'decimal'} autoComplete="off" style={p.compact ? { textAlign: 'end' } : suffix ? { paddingInlineEnd: 34 } : undefined}
      value={draft ?? editDecimal(p.value, locale, keep)} onChange={(e) => change(e.target.value)} onBlur={() => setDraft(null)} />
  )
  if (!suffix || p.compact) return input
  return <div className="relative">{input}<span className="absolute end-2 top-1/2 -translate-y-1/2 text-faint text-xs pointer-events-none" aria-hidden="true">{suffix}</span></div>
}
