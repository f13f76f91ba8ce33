import { ExternalLink } from 'lucide-react'
import { lazy, Suspense } from 'react'
import type { CellProps, FieldType } from '../registry'
import { text, Txt } from '../shared'
import { linkOf } from './link'

const Move = lazy(() => import('./parts/move'))
const saidOn = (f: CellProps['field']): string => text(f.settings?.label) || f.label
function Cell({ field, record, plain }: CellProps) {
  const said = saidOn(field)
  if (plain) return <Txt>{said}</Txt>
  if (field.settings?.action && field.of) return <Suspense><Move entity={field.of} action={text(field.settings.action)} said={said} record={record} /></Suspense>
  const to = linkOf(field.settings?.url, record)
  return to ? <a className="btn sm" href={to} target="_blank" rel="noopener noreferrer" onClick={(e) => e.stopPropagation()} onKeyDown={(e) => e.stopPropagation()}>{said}<ExternalLink size={12} aria-hidden="true" /></a> : null
}
export default { Cell, Input: () => null, format: (_, f) => saidOn(f), operators: [], width: 130 } satisfies FieldType
