import type { CellProps, FieldType } from './registry'
import { text, TextInput, textOperators } from './shared'

function Cell({ value, link }: CellProps) {
  const v = text(value)
  return v ? <a className="link txt" href={`mailto:${v}`} tabIndex={link ? 0 : -1} onClick={(e) => e.stopPropagation()}>{v}</a> : null
}
export default { Cell, Input: (p) => <TextInput p={p} type="email" inputMode="email" />, format: text, operators: textOperators, width: 200, types: true } satisfies FieldType
