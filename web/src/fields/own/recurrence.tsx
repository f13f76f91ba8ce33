import { sentence } from '@/fields/own/recurrence'
import type { FieldType } from '../registry'
import { emptiness, Txt } from '../shared'
import { lazyInput } from './later'

const format: FieldType['format'] = (v, _f, l) => (v ? sentence(v, l) : '')
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: lazyInput(() => import('./parts/recurrence')), format, operators: emptiness, width: 220, wide: true } satisfies FieldType
