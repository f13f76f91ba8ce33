import { formatInstant, instantToLocal, localToInstant, useLocale } from '@/lib/format'
import type { FieldType, InputProps } from './registry'
import { aria, dateOperators, text, Txt, useAutoFocus } from './shared'

const format: FieldType['format'] = (v, _f, l) => formatInstant(v, l)
function Input(p: InputProps) {
  const { zone } = useLocale()
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus)
  const v = text(p.value)
  return <input ref={ref} {...aria(p)} className="input num" type="datetime-local" max="9999-12-31T23:59" value={v ? instantToLocal(v, zone) : ''} onChange={(e) => p.onChange(e.target.value ? localToInstant(e.target.value, zone) : null)} />
}
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input, format, operators: dateOperators, width: 170 } satisfies FieldType
