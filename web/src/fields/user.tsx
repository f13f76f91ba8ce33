import { useState } from 'react'
import { fullName } from '@/api/session'
import { usePeople } from '@/api/people'
import { expandKey } from '@/meta/hooks'
import { Avatar } from '@/ui/basics'
import { Combobox, type Choice } from '@/ui/combobox'
import type { Field } from '@/meta/types'
import type { CellProps, FieldType, InputProps } from './registry'
import { choiceOperators, text } from './shared'

type Person = { id: string; first_name?: string; last_name?: string; name?: string; email?: string }

function usePerson(field: Field, value: unknown, record: Record<string, unknown>): { name: string; picture?: string | undefined } {
  const people = usePeople()
  if (!value) return { name: '' }
  const brought = typeof value === 'object' ? (value as Person) : (record[expandKey(field)] as Person | undefined)
  const id = typeof value === 'object' ? (value as Person).id : String(value)
  const known = people.find((p) => p.id === id || p.user === id)
  const own = brought && typeof brought === 'object' && brought.id === id ? fullName(brought) : ''
  return { name: own || known?.name || id.slice(0, 8) + '…', picture: known?.picture }
}
function Cell({ field, value, record }: CellProps) {
  const { name, picture } = usePerson(field, value, record)
  if (!name) return null
  return <span className="flex items-center gap-1.5 min-w-0"><Avatar name={name} src={picture} /><span className="txt">{name}</span></span>
}
function Input(p: InputProps) {
  const people = usePeople()
  const { name } = usePerson(p.field, p.value, p.record)
  const [picked, setPicked] = useState<Choice | null>(null)
  const id = p.value ? (typeof p.value === 'object' ? (p.value as Person).id : String(p.value)) : null
  return (
    <Combobox id={p.id} value={id} shown={picked && picked.id === id ? picked.label : name} queryKey={['people', people.length]} label={p.label} compact={p.compact} invalid={p.invalid} describedBy={p.describedBy} autoFocus={p.autoFocus} required={p.field.required}
      find={async (q) => people.filter((x) => `${x.name} ${x.email}`.toLowerCase().includes(q.toLowerCase())).slice(0, 50).map((x) => ({ id: x.id, label: x.name, hint: x.email }))}
      onPick={(c) => { setPicked(c); p.onChange(c?.id ?? null); p.onCommit?.(c?.id ?? null) }} />
  )
}
export default { Cell, Input, format: (v) => (v && typeof v === 'object' ? fullName(v as Person) : text(v)), operators: choiceOperators, width: 160 } satisfies FieldType
