import { formatMoney } from '@/lib/format'
import { currencyOf, type FieldType } from './registry'
import { NumberInput, numberOperators, Txt } from './shared'

const format: FieldType['format'] = (v, _f, l, currency) => formatMoney(v, l, currency)
export default {
  Cell: ({ value, field, record, locale, currency }) => <Txt>{format(value, field, locale, currency ?? currencyOf(field, record))}</Txt>,
  Input: (p) => <NumberInput p={p} keep={2} suffix={currencyOf(p.field, p.record) ?? ''} />,
  format, operators: numberOperators, align: 'end', width: 140, types: true, sum: 'sum',
} satisfies FieldType
