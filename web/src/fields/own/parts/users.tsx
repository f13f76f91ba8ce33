import { X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import { Avatar } from '@/ui/basics'
import { Combobox } from '@/ui/combobox'
import type { InputProps } from '../../registry'
import { idsOf } from '../users'

/** Those who were chosen, each with a way out, and a box that finds the next. */
export default function Users(p: InputProps) {
  const { t } = useTranslation()
  const people = usePeople()
  const on = idsOf(p.value)
  const set = (ids: string[]) => p.onChange(ids.length ? ids : null)
  const name = (id: string) => people.find((x) => x.id === id)?.name ?? id.slice(0, 8) + '…'
  return (
    <div role="group" aria-label={p.label ?? p.field.label} className="w-full">
      {on.length > 0 && <div className="flex flex-wrap gap-1 mb-1">{on.map((id) => (
        <span key={id} className="chip plain gray" style={{ height: 26 }}><Avatar name={name(id)} src={people.find((x) => x.id === id)?.picture} />{name(id)}
          <button type="button" className="border-0 bg-transparent p-0 flex items-center" style={{ minWidth: 18, minHeight: 18 }} aria-label={t('removeNamed', { name: name(id) })} onClick={() => set(on.filter((x) => x !== id))}><X size={12} /></button>
        </span>
      ))}</div>}
      <Combobox key={on.length} id={p.id} value={null} shown="" queryKey={['people', people.length, on.join()]} label={p.label ?? p.field.label} compact={p.compact} invalid={p.invalid} describedBy={p.describedBy} autoFocus={p.autoFocus}
        find={async (q) => people.filter((x) => !on.includes(x.id) && `${x.name} ${x.email}`.toLowerCase().includes(q.toLowerCase())).slice(0, 50).map((x) => ({ id: x.id, label: x.name, hint: x.email }))}
        onPick={(c) => { if (c) set([...on, c.id]) }} />
    </div>
  )
}
