import { zones } from '@/lib/places'
import type { InputProps } from '../../registry'
import { Choice } from './choice'

const all = zones().map((id) => ({ id, label: id.replaceAll('_', ' ') }))
export default (p: InputProps) => <Choice p={p} options={all} />
