import { sentence } from '@/fields/own/recurrence'
import type { FieldType } from '../registry'
import { one, emptiness, TextInput, Txt } from '../shared'
import { lazyInput } from './later'

const format: FieldType['format'] = (v, _f, l) => (v ? sentence(v, l) : '')
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: lazyInput(() => import('./parts/recurrence')), Filter: (p) => <TextInput p={p} />, format, operators: [...emptiness, ...one('contains_ci')], width: 220, wide: true } satisfies FieldType
