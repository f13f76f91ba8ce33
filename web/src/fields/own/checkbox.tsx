import { Square, SquareCheck } from 'lucide-react'
import i18next from 'i18next'
import { typeOf, type FieldType } from '../registry'

const boolean = typeOf({ type: 'boolean' })
const Cell: FieldType['Cell'] = ({ value }) => {
  if (value !== true && value !== false) return null
  const Box = value ? SquareCheck : Square
  return <span className={`inline-flex ${value ? 'text-accent' : 'text-faint'}`}><Box size={16} aria-hidden="true" /><span className="visually-hidden">{i18next.t(value ? 'yes' : 'no')}</span></span>
}
export default { ...boolean, Cell } satisfies FieldType
