import type { FieldType } from './registry'
import { emptiness, one, text, TextInput, Txt } from './shared'

export default { Cell: ({ value }) => <Txt title={text(value)}>{text(value).slice(0, 8)}</Txt>, Input: (p) => <TextInput p={p} />, format: text, operators: [...one('equals', 'not_equals'), ...emptiness], width: 110, types: true } satisfies FieldType
