import { formatNumber } from '@/lib/format'
import type { FieldType } from './registry'
import { NumberInput, numberOperators, Txt } from './shared'

const format: FieldType['format'] = (v, f, l) => formatNumber(v, l, { max: f.scale ?? 6 })
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: (p) => <NumberInput p={p} />, format, operators: numberOperators, align: 'end', width: 120, types: true } satisfies FieldType
