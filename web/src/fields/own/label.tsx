import { Tag } from 'lucide-react'
import { hueName } from '@/ui/basics'
import { typeOf, type FieldType } from '../registry'
import { optionOf } from './option'

const select = typeOf({ type: 'select' })
const Cell: FieldType['Cell'] = ({ field, value }) => {
  const is = optionOf(field, value)
  return is && <span className={`chip plain ${hueName(is.option)}`}><Tag size={11} aria-hidden="true" className="flex-none" /><span className="overflow-hidden text-ellipsis">{is.option.label}</span></span>
}
export default { ...select, Cell } satisfies FieldType
