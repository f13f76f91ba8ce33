import { linesOf } from './place'
import type { CellProps, FieldType } from '../registry'
import { emptiness, Txt } from '../shared'
import { lazyInput } from './later'

const format: FieldType['format'] = (v, _f, l) => linesOf(v, l.locale).join(', ')
function Cell({ value, field, locale, whole }: CellProps) {
  return whole ? <span style={{ whiteSpace: 'pre-line' }}>{linesOf(value, locale.locale).join('\n')}</span> : <Txt>{format(value, field, locale)}</Txt>
}
export default { Cell, Input: lazyInput(() => import('./parts/address')), format, operators: emptiness, width: 220, wide: true } satisfies FieldType
