import { formatDays } from './clock'
import { typeOf, type FieldType } from '../registry'
import { lazyInput } from './later'
import { emptiness, one, Txt } from '../shared'

const date = typeOf({ type: 'date' })
const format: FieldType['format'] = (v, f, l) => (/^\d{4}-\d\d-\d\d$/.test(String(v)) ? date.format(v, f, l) : formatDays(v, l))
// Kept as text that begins with the first day: asked of it by that day.
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: lazyInput(() => import('./parts/daterange')), Filter: date.Input, format, operators: [...one('greater_or_equal', 'less_than'), ...emptiness], width: 190 } satisfies FieldType
