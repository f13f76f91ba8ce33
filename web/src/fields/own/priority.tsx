import { hueName } from '@/ui/basics'
import { typeOf, type FieldType } from '../registry'
import { optionOf } from './option'
import { filled } from './bars'

const select = typeOf({ type: 'select' })

/** Choices go from the lowest to the highest; the bars say how high. */
const Cell: FieldType['Cell'] = ({ field, value }) => {
  const is = optionOf(field, value)
  if (!is) return null
  const on = filled(is.at, field.options?.length ?? 0)
  return (
    <span className={`chip plain ${hueName(is.option)} !bg-transparent !p-0`}>
      <svg width="14" height="12" viewBox="0 0 14 12" aria-hidden="true" className="flex-none">{[0, 1, 2, 3].map((i) => <rect key={i} x={i * 3.6} y={9 - i * 3} width="2.6" height={3 + i * 3} rx=".8" fill="currentColor" opacity={i < on ? 1 : 0.25} />)}</svg>
      <span className="overflow-hidden text-ellipsis text-fg">{is.option.label}</span>
    </span>
  )
}
export default { ...select, Cell } satisfies FieldType
