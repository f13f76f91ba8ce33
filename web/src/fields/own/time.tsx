import { formatTime } from './clock'
import type { FieldType, InputProps } from '../registry'
import { aria, numberOperators, text, Txt, useAutoFocus } from '../shared'

const format: FieldType['format'] = (v, _f, l) => formatTime(v, l)
function Input(p: InputProps) {
  const value = text(p.value)
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus)
  return <input ref={ref} {...aria(p)} className="input num" type="time" step={value.length > 5 ? 1 : 60} value={value} onChange={(e) => p.onChange(e.target.value || null)} />
}
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input, format, operators: numberOperators, width: 110 } satisfies FieldType
