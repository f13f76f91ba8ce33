import type { CellProps, FieldType } from './registry'
import { text, TextInput, textOperators } from './shared'

function Cell({ value, link }: CellProps) {
  const v = text(value)
  return v ? <a className="link txt num" href={`tel:${v.replace(/[^+\d]/g, '')}`} tabIndex={link ? 0 : -1} onClick={(e) => e.stopPropagation()}>{v}</a> : null
}
export default { Cell, Input: (p) => <TextInput p={p} type="tel" inputMode="tel" />, format: text, operators: textOperators, width: 160, types: true } satisfies FieldType
