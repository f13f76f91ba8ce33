import i18next from 'i18next'
import { Check, Minus } from 'lucide-react'
import { useEffect, useRef } from 'react'
import type { CellProps, FieldType, InputProps } from './registry'
import { aria, none } from './shared'

const format: FieldType['format'] = (v) => (v === true ? i18next.t('yes') : v === false ? i18next.t('no') : '')
function Cell({ value }: CellProps) {
  if (value === true) return <span className="text-good inline-flex"><Check size={15} aria-hidden="true" /><span className="visually-hidden">{i18next.t('yes')}</span></span>
  if (value === false) return <span className="text-faint inline-flex"><Minus size={15} aria-hidden="true" /><span className="visually-hidden">{i18next.t('no')}</span></span>
  return null
}
function Input(p: InputProps) {
  const ref = useRef<HTMLInputElement>(null)
  // Neither yes nor no yet: the server decides what that means.
  useEffect(() => { if (ref.current) ref.current.indeterminate = !p.field.required && (p.value === null || p.value === undefined) }, [p.value, p.field.required])
  useEffect(() => { if (p.autoFocus) ref.current?.focus() }, [p.autoFocus])
  return (
    <span className="inline-flex items-center" style={{ minHeight: p.compact ? 34 : 32, paddingInline: p.compact ? 8 : 0 }}>
      <input ref={ref} {...aria(p)} aria-required={undefined} type="checkbox" checked={p.value === true} onChange={(e) => { p.onChange(e.target.checked); p.onCommit?.(e.target.checked) }} />
    </span>
  )
}
export default { Cell, Input, format, operators: none('is_true', 'is_false'), width: 90 } satisfies FieldType
