import { formatPercent } from '@/lib/format'
import type { FieldType } from './registry'
import { NumberInput, numberOperators, Txt } from './shared'

const format: FieldType['format'] = (v, _f, l) => formatPercent(v, l)
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: (p) => <NumberInput p={p} suffix="%" />, format, operators: numberOperators, align: 'end', width: 100, types: true, sum: 'avg' } satisfies FieldType
