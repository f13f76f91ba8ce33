import { fileUrl } from '@/api/files'
import type { CellProps, FieldType, InputProps } from '../registry'
import { emptiness } from '../shared'
import file, { type Held } from './file'

function Cell(p: CellProps) {
  const all = Array.isArray(p.value) ? (p.value as Held[]) : []
  if (p.whole || p.plain || !all.length) return <file.Cell {...p} />
  return (
    <span className="inline-flex items-center gap-1 min-w-0">
      {all.slice(0, 4).map((f) => <img key={f.id} src={fileUrl(f.id)} alt={f.name} title={f.name} loading="lazy" className="rounded-sm border border-line flex-none" style={{ blockSize: 24, inlineSize: 32, objectFit: 'cover' }} />)}
      {all.length > 4 && <span className="text-xs text-muted">+{all.length - 4}</span>}
    </span>
  )
}
const Input = (p: InputProps) => <file.Input {...p} accept="image/*" />
export default { Cell, Input, format: file.format, operators: emptiness, width: 150, wide: true } satisfies FieldType
