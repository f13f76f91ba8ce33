import i18next from 'i18next'
import { useEffect, useRef } from 'react'
import { Chip } from '@/ui/basics'
import type { CellProps, FieldType, InputProps } from './registry'
import { aria, choiceOperators, text } from './shared'

const find = (f: { options?: { id: string; label: string; color?: string | null }[] | null }, v: unknown) => f.options?.find((o) => o.id === v)
function Cell({ field, value }: CellProps) {
  if (value === null || value === undefined || value === '') return null
  return <Chip option={find(field, value) ?? { id: text(value), label: text(value) }} />
}
function Input(p: InputProps) {
  const ref = useRef<HTMLSelectElement>(null)
  useEffect(() => {
    if (!p.autoFocus || !ref.current) return
    ref.current.focus()
    try { if (p.onCommit) ref.current.showPicker() } catch { /* needs a gesture */ }
  }, [p.autoFocus])
  return (
    <select ref={ref} {...aria(p)} className="input" value={text(p.value)} onChange={(e) => { const v = e.target.value || null; p.onChange(v); p.onCommit?.(v) }}>
      {(!p.field.required || !p.value) && <option value="" aria-label={i18next.t('choose')} />}
      {p.value && !find(p.field, p.value) ? <option value={text(p.value)}>{text(p.value)}</option> : null}
      {p.field.options?.map((o) => <option key={o.id} value={o.id}>{o.label}</option>)}
    </select>
  )
}
export default { Cell, Input, format: (v, f) => find(f, v)?.label ?? text(v), operators: choiceOperators, width: 130 } satisfies FieldType
