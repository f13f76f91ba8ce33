import { hueName } from '@/ui/basics'
import { typeOf, type FieldType } from '../registry'
import { optionOf } from './option'

const select = typeOf({ type: 'select' })
const Cell: FieldType['Cell'] = ({ field, value }) => {
  const is = optionOf(field, value)
  return is && <span className={`chip ${hueName(is.option)} !bg-transparent !p-0 !text-fg`}><span className="overflow-hidden text-ellipsis">{is.option.label}</span></span>
}
export default { ...select, Cell } satisfies FieldType
