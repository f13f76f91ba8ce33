import type { FieldType } from './registry'
import { text, TextCell, TextInput, textOperators } from './shared'

export default { Cell: TextCell, Input: (p) => <TextInput p={p} />, format: text, operators: textOperators, width: 180, types: true } satisfies FieldType
