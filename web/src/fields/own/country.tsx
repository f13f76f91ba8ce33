import type { FieldType } from '../registry'
import { lazyInput } from './later'
import { choiceOperators, text, Txt } from '../shared'

const names = new Map<string, Intl.DisplayNames>()
const format: FieldType['format'] = (v, _f, l) => {
  const code = text(v)
  if (!/^[A-Z]{2}$/.test(code)) return code
  if (!names.has(l.locale)) names.set(l.locale, new Intl.DisplayNames(l.locale, { type: 'region' }))
  return names.get(l.locale)!.of(code) ?? code
}
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: lazyInput(() => import('./parts/country')), format, operators: choiceOperators, width: 140 } satisfies FieldType
