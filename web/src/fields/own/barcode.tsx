import type { FieldType } from '../registry'
import { lazyInput } from './later'
import { text, TextCell, TextInput, textOperators } from '../shared'

const Wide = lazyInput(() => import('./parts/barcode'))
export default { Cell: TextCell, Input: (p) => (p.compact ? <TextInput p={p} /> : <Wide {...p} />), Filter: (p) => <TextInput p={p} />, format: text, operators: textOperators, width: 140, types: true } satisfies FieldType
