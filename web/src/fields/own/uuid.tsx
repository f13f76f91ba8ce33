import { Link } from '@tanstack/react-router'
import { queryClient } from '@/api/session'
import type { Meta } from '@/meta/types'
import type { CellProps, FieldType } from '../registry'
import { emptiness, one, text, TextInput, Txt } from '../shared'

/** Beside `x_id` may stand in `x` of which entity it is: then it leads there. A part is shown with its whole, which nobody names here. */
function Cell({ field, value, record, link, plain }: CellProps) {
  const id = text(value)
  const e = queryClient.getQueryData<Meta>(['meta'])?.entities[text(record[field.name.replace(/_id$/, '')])]
  if (!id || !e || e.part_of || plain) return <Txt title={id}>{id.slice(0, 8)}</Txt>
  return <Link className="ref txt" to="/o/$entity/r/$id" params={{ entity: e.name, id }} tabIndex={link ? 0 : -1} onClick={(x) => x.stopPropagation()}>{e.label}</Link>
}
export default { Cell, Input: (p) => <TextInput p={p} />, format: text, operators: [...one('equals', 'not_equals'), ...emptiness], width: 110, types: true } satisfies FieldType
