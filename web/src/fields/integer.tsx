import { formatNumber } from '@/lib/format'
import type { FieldType } from './registry'
import { NumberInput, numberOperators, Txt } from './shared'

const format: FieldType['format'] = (v, _f, l) => formatNumber(v, l, { max: 0 })
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: (p) => <NumberInput p={p} integer />, format, operators: numberOperators, align: 'end', width: 100, types: true } satisfies FieldType
