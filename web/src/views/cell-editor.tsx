import { useRef, useState } from 'react'
import { typeOf } from '@/fields/registry'
import type { Field, Row } from '@/meta/types'

export type Leave = 'stay' | 'down' | 'up' | 'next' | 'back'

/** One cell being edited: Enter keeps and goes down, Tab keeps and goes on, Escape leaves it as it was. */
export function CellEditor({ field, row, typed, start, onCommit, onCancel }: { field: Field; row: Row; typed?: string | undefined; start?: { value: unknown } | undefined; onCommit: (v: unknown, go: Leave) => void; onCancel: () => void }) {
  const [value, setValue] = useState<unknown>(start ? start.value : row[field.name])
  const now = useRef(value)
  const over = useRef(false)
  const { Input } = typeOf(field)
  const finish = (v: unknown, go: Leave) => { if (!over.current) { over.current = true; onCommit(v, go) } }
  const change = (v: unknown) => { now.current = v; setValue(v) }
  return (
    <div className="w-full" role="presentation"
      onBlur={(e) => { if (!e.currentTarget.contains(e.relatedTarget)) finish(now.current, 'stay') }}
      onKeyDown={(e) => {
        e.stopPropagation()
        if (e.key === 'Escape') { e.preventDefault(); over.current = true; onCancel() }
        else if (e.key === 'Enter') { e.preventDefault(); finish(now.current, e.shiftKey ? 'up' : 'down') }
        else if (e.key === 'Tab') { e.preventDefault(); setTimeout(() => finish(now.current, e.shiftKey ? 'back' : 'next')) }
      }}>
      <Input field={field} value={value} onChange={change} onCommit={(v) => { change(v); finish(v, 'stay') }} record={row} label={field.label} autoFocus compact typed={typed} />
    </div>
  )
}
