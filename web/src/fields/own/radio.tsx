import { useEffect, useId, useRef } from 'react'
import { typeOf, type FieldType, type InputProps } from '../registry'
import { text } from '../shared'

const select = typeOf({ type: 'select' })

/** All of them at once; in a table there is room for one. */
function Input(p: InputProps) {
  const name = useId()
  const ref = useRef<HTMLDivElement>(null)
  const value = text(p.value)
  useEffect(() => { if (p.autoFocus) (ref.current?.querySelector<HTMLInputElement>('input:checked') ?? ref.current?.querySelector('input'))?.focus() }, [p.autoFocus])
  if (p.compact) return <select.Input {...p} />
  const set = (v: string | null) => { p.onChange(v); p.onCommit?.(v) }
  return (
    <div ref={ref} id={p.id} role="radiogroup" aria-label={p.label ?? p.field.label} aria-describedby={p.describedBy} aria-required={p.field.required || undefined} className="flex flex-wrap gap-x-4 gap-y-1.5 py-1">
      {[...(p.field.required ? [] : [{ id: '', label: '—' }]), ...(p.field.options ?? [])].map((o) => <label key={o.id} className="inline-flex items-center gap-1.5"><input type="radio" name={name} checked={value === o.id} onChange={() => set(o.id || null)} />{o.label}</label>)}
    </div>
  )
}
export default { ...select, Input } satisfies FieldType
