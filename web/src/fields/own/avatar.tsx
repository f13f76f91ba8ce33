import { fileUrl } from '@/api/files'
import { titleOf as said } from './said'
import { Avatar } from '@/ui/basics'
import type { CellProps, FieldType, InputProps } from '../registry'
import { emptiness, text } from '../shared'
import file, { type Held } from './file'

const pictureOf = (v: unknown): Held | undefined => (Array.isArray(v) ? (v as Held[])[0] : undefined)
function Cell({ value, record, field, whole }: CellProps) {
  const held = pictureOf(value)
  const name = said(record) || field.label
  return <span role="img" aria-label={held?.name ?? name} className="inline-flex"><Avatar name={name} size={whole ? 64 : 24} src={held && fileUrl(held.id)} /></span>
}
/** A picture takes the place of the one before. */
const Input = (p: InputProps) => <file.Input {...p} accept="image/*" onChange={(v) => p.onChange(Array.isArray(v) ? v.slice(-1) : v)} />
export default { Cell, Input, format: (v) => text(pictureOf(v)?.name), operators: emptiness, width: 80 } satisfies FieldType
