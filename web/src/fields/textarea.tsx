import type { FieldType, InputProps } from './registry'
import { aria, text, TextCell, TextInput, textOperators, useAutoFocus } from './shared'

function Input(p: InputProps) {
  const ref = useAutoFocus<HTMLTextAreaElement>(p.autoFocus)
  if (p.compact) return <TextInput p={p} />
  return <textarea ref={ref} {...aria(p)} className="input" rows={3} maxLength={p.field.max_length ?? undefined} value={text(p.value)} onChange={(e) => p.onChange(e.target.value === '' ? null : e.target.value)} />
}
export default { Cell: TextCell, Input, Filter: (p) => <TextInput p={p} />, format: text, operators: textOperators, width: 240, types: true, wide: true } satisfies FieldType
