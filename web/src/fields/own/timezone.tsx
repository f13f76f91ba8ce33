import type { FieldType } from '../registry'
import { lazyInput } from './later'
import { choiceOperators, text, Txt } from '../shared'

const format: FieldType['format'] = (v) => text(v).replaceAll('_', ' ')
export default { Cell: ({ value, field, locale }) => <Txt>{format(value, field, locale)}</Txt>, Input: lazyInput(() => import('./parts/timezone')), format, operators: choiceOperators, width: 150 } satisfies FieldType
