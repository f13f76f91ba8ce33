import type { FieldType } from '../registry'
import { NumberInput, numberOperators, text, Txt } from '../shared'

const format: FieldType['format'] = (v, f) => {
  const n = text(v)
  return n && `${text(f.settings?.prefix)}${n.padStart(Number(f.settings?.digits) || 0, '0')}`
}
// The program gives it: there is an input in filters only.
const Input: FieldType['Input'] = (p) => <NumberInput p={p} integer />
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input, format, operators: numberOperators, width: 100 } satisfies FieldType
