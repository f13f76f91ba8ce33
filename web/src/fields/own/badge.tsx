import { hueName } from '@/ui/basics'
import { typeOf, type FieldType } from '../registry'
import { optionOf } from './option'

const select = typeOf({ type: 'select' })

/** The chip's own colours, the other way round. */
const Cell: FieldType['Cell'] = ({ field, value }) => {
  const is = optionOf(field, value)
  return is && <span className={`chip plain ${hueName(is.option)}`} style={{ background: 'currentColor', borderRadius: 10 }}><span className="overflow-hidden text-ellipsis" style={{ color: 'var(--surface)' }}>{is.option.label}</span></span>
}
export default { ...select, Cell } satisfies FieldType
