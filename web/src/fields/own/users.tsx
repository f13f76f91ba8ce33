import { usePeople } from '@/api/people'
import { Avatar } from '@/ui/basics'
import { typeOf, type CellProps, type FieldType } from '../registry'
import { emptiness } from '../shared'
import { lazyInput } from './later'

const user = typeOf({ type: 'user' })

export const idsOf = (v: unknown): string[] => (Array.isArray(v) ? v.map(String) : v ? [String(v)] : [])
function Cell({ value, whole }: CellProps) {
  const people = usePeople()
  const ids = idsOf(value)
  if (!ids.length) return null
  const all = ids.map((id) => { const p = people.find((x) => x.id === id || x.user === id); return { id, name: p?.name ?? id.slice(0, 8) + '…', picture: p?.picture } })
  if (whole || all.length === 1) return <span className="flex flex-wrap items-center gap-x-3 gap-y-1 min-w-0">{all.map((p) => <span key={p.id} className="flex items-center gap-1.5 min-w-0"><Avatar name={p.name} src={p.picture} /><span className="txt">{p.name}</span></span>)}</span>
  return <span className="flex items-center gap-1.5 min-w-0"><span className="flex flex-none" aria-hidden="true">{all.slice(0, 4).map((p, i) => <span key={p.id} style={{ marginInlineStart: i ? -6 : 0 }}><Avatar name={p.name} src={p.picture} /></span>)}</span><span className="txt">{all.map((p) => p.name).join(', ')}</span></span>
}
export default { Cell, Input: lazyInput(() => import('./parts/users')), Filter: user.Input, format: (v) => idsOf(v).join(', '), operators: [{ name: 'has_any', operand: 'many' }, { name: 'has_all', operand: 'many' }, { name: 'has_none', operand: 'many' }, ...emptiness], width: 180, wide: true } satisfies FieldType
