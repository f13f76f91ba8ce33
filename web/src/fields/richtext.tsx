import { lazy, Suspense } from 'react'
import { unmarked } from '@/lib/marks'
import type { FieldType } from './registry'
import { lazyInput, text, TextInput, textOperators, Txt } from './shared'

const Shown = lazy(() => import('./parts/shown'))
/** The whole of it, with its marks made good. */
export const Formatted = ({ value }: { value: unknown }) => <Suspense fallback={<span>{unmarked(text(value))}</span>}><Shown text={text(value)} /></Suspense>

const format: FieldType['format'] = (v) => unmarked(text(v))
export default { Cell: ({ value }) => <Txt>{unmarked(text(value)).slice(0, 300)}</Txt>, Input: lazyInput(() => import('./parts/richtext')), Filter: (p) => <TextInput p={p} />, format, operators: textOperators, width: 240, wide: true } satisfies FieldType
