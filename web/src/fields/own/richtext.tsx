import { lazy, Suspense } from 'react'
import { unmarked } from '@/fields/own/marks'
import type { CellProps, FieldType } from '../registry'
import { lazyInput } from './later'
import { text, TextInput, textOperators, Txt } from '../shared'

const Shown = lazy(() => import('./parts/shown'))
function Cell({ value, whole, plain }: CellProps) {
  const short = <Txt>{unmarked(text(value)).slice(0, whole ? undefined : 300)}</Txt>
  return whole && !plain ? <Suspense fallback={short}><Shown text={text(value)} /></Suspense> : short
}

const format: FieldType['format'] = (v) => unmarked(text(v))
export default { Cell, Input: lazyInput(() => import('./parts/richtext')), Filter: (p) => <TextInput p={p} />, format, operators: textOperators, width: 240, wide: true } satisfies FieldType
