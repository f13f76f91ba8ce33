import type { CellProps, FieldType, InputProps } from '../registry'
import { emptiness, one, text, TextInput } from '../shared'

const HEX = /^#[0-9a-f]{6}$/i
function Cell({ value }: CellProps) {
  const v = text(value)
  if (!v) return null
  return <span className="inline-flex items-center gap-1.5 min-w-0">{HEX.test(v) && <span className="shrink-0 border border-line" style={{ inlineSize: 14, blockSize: 14, borderRadius: 4, background: v }} aria-hidden="true" />}<span className="txt">{v}</span></span>
}
function Input(p: InputProps) {
  const v = text(p.value)
  if (p.compact) return <TextInput p={p} />
  return (
    <span className="flex items-center gap-2">
      <span className="flex-1 min-w-0"><TextInput p={p} /></span>
      <input type="color" tabIndex={-1} aria-hidden="true" style={{ inlineSize: 36, blockSize: 32, padding: 2 }} className="input" value={HEX.test(v) ? v : '#808080'} onChange={(e) => p.onChange(e.target.value)} />
    </span>
  )
}
export default { Cell, Input, format: text, operators: [...one('equals', 'not_equals'), ...emptiness], width: 110, types: true } satisfies FieldType
