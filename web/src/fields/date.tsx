import { formatDate } from '@/lib/format'
import type { FieldType, InputProps } from './registry'
import { aria, dateOperators, text, Txt, useAutoFocus } from './shared'

const format: FieldType['format'] = (v, _f, l) => formatDate(v, l)
function Input(p: InputProps) {
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus)
  return <input ref={ref} {...aria(p)} className="input num" type="date" max="9999-12-31" value={text(p.value).slice(0, 10)} onChange={(e) => p.onChange(e.target.value || null)} />
}
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input, format, operators: dateOperators, width: 130 } satisfies FieldType
