import { Chip } from '@/ui/basics'
import type { CellProps, FieldType, InputProps } from '../registry'
import { emptiness } from '../shared'

const asList = (v: unknown): string[] => (Array.isArray(v) ? v.map(String) : v ? [String(v)] : [])
function Cell({ field, value }: CellProps) {
  return <span className="flex gap-1 overflow-hidden">{asList(value).map((id) => <Chip key={id} option={field.options?.find((o) => o.id === id) ?? { id, label: id }} />)}</span>
}
function Input(p: InputProps) {
  const on = asList(p.value)
  return (
    <div id={p.id} role="group" aria-label={p.label ?? p.field.label} aria-describedby={p.describedBy} className="flex flex-wrap gap-1 py-1">
      {p.field.options?.map((o, i) => {
        const picked = on.includes(o.id)
        return <button key={o.id} type="button" ref={i === 0 && p.autoFocus ? (el) => { if (el && !el.parentElement?.contains(document.activeElement)) el.focus() } : undefined} aria-pressed={picked} className={`chip ${picked ? (o.color ?? 'blue') : 'gray plain'} border-0`} style={{ height: 24, opacity: 1 }} onClick={() => p.onChange(picked ? on.filter((x) => x !== o.id) : [...on, o.id])}>{o.label}</button>
      })}
    </div>
  )
}
export default { Cell, Input, format: (v, f) => asList(v).map((id) => f.options?.find((o) => o.id === id)?.label ?? id).join(', '), operators: [{ name: 'has_any', operand: 'many' }, { name: 'has_all', operand: 'many' }, { name: 'has_none', operand: 'many' }, ...emptiness], width: 170 } satisfies FieldType
