import type { CellProps, FieldType } from './registry'
import { text, TextInput, textOperators } from './shared'

function Cell({ value, link }: CellProps) {
  const v = text(value)
  if (!v) return null
  // Only web addresses become links: a stored "javascript:" stays text.
  if (!/^https?:\/\//i.test(v)) return <span className="txt">{v}</span>
  return <a className="link txt" href={v} target="_blank" rel="noreferrer noopener" tabIndex={link ? 0 : -1} onClick={(e) => e.stopPropagation()}>{v.replace(/^https?:\/\/(www\.)?/, '').replace(/\/$/, '')}</a>
}
export default { Cell, Input: (p) => <TextInput p={p} type="url" inputMode="url" />, format: text, operators: textOperators, width: 180, types: true } satisfies FieldType
