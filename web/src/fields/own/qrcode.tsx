import { lazy, Suspense } from 'react'
import { withWords } from '@/i18n'
import type { CellProps, FieldType } from '../registry'
import { text, TextInput, textOperators, Txt } from '../shared'

const Code = lazy(() => withWords(() => import('./parts/qr')))
function Cell({ value, field, plain, whole }: CellProps) {
  const said = text(value)
  if (!said || plain) return <Txt>{said}</Txt>
  return <span className={`inline-flex items-center gap-1.5 min-w-0 ${whole ? 'flex-wrap' : ''}`}><Suspense><Code text={said} label={field.label} size={whole ? 96 : 20} /></Suspense><span className="txt">{said}</span></span>
}
const Input: FieldType['Input'] = (p) => <TextInput p={p} />
export default { Cell, Input, format: text, operators: textOperators, width: 170, types: true } satisfies FieldType
