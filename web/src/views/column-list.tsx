import { ArrowDown, ArrowUp, GripVertical } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { visibleFields } from '@/meta/hooks'
import type { Entity, Field } from '@/meta/types'

export interface ColumnProps { entity: Entity; columns: Field[]; onChange: (names: string[]) => void; onReset: () => void }

/** Which columns, and in what order: by mouse, or by the arrows beside each. */
export default function ColumnList({ entity, columns, onChange, onReset }: ColumnProps) {
  const { t } = useTranslation()
  const [q, setQ] = useState('')
  const [held, setHeld] = useState<string | null>(null)
  const names = columns.map((f) => f.name)
  const rest = visibleFields(entity).filter((f) => !names.includes(f.name))
  const fits = (f: Field) => f.label.toLowerCase().includes(q.toLowerCase())
  const move = (name: string, to: number) => { const next = names.filter((n) => n !== name); next.splice(Math.max(0, Math.min(next.length, to)), 0, name); onChange(next) }
  return (
    <>
      <input className="input mb-1" value={q} aria-label={t('columns.find')} placeholder={t('columns.find')} onChange={(e) => setQ(e.target.value)} />
      <ul className="list-none m-0 p-0" aria-label={t('columns.shown')}>
        {columns.filter(fits).map((f) => {
          const i = names.indexOf(f.name)
          return (
            <li key={f.name} className="item" style={{ paddingInline: 4, opacity: held === f.name ? 0.5 : 1 }} draggable onDragStart={() => setHeld(f.name)} onDragEnd={() => setHeld(null)} onDragOver={(e) => e.preventDefault()} onDrop={() => { if (held) move(held, i) }}>
              <GripVertical size={13} className="text-faint cursor-grab" aria-hidden="true" />
              <label className="flex items-center gap-2 flex-1 min-w-0"><input type="checkbox" checked disabled={names.length === 1} onChange={() => onChange(names.filter((n) => n !== f.name))} /><span className="truncate">{f.label}</span></label>
              <button type="button" className="btn ghost icon sm" disabled={i === 0} aria-label={t('columns.up', { name: f.label })} onClick={() => move(f.name, i - 1)}><ArrowUp size={13} /></button>
              <button type="button" className="btn ghost icon sm" disabled={i === names.length - 1} aria-label={t('columns.down', { name: f.label })} onClick={() => move(f.name, i + 1)}><ArrowDown size={13} /></button>
            </li>
          )
        })}
      </ul>
      {rest.some(fits) && <div className="rule" />}
      <ul className="list-none m-0 p-0" aria-label={t('columns.hidden')}>
        {rest.filter(fits).map((f) => <li key={f.name}><label className="item"><input type="checkbox" checked={false} onChange={() => onChange([...names, f.name])} /><span className="truncate">{f.label}</span></label></li>)}
      </ul>
      <div className="rule" />
      <button type="button" className="item text-muted" onClick={onReset}>{t('columns.reset')}</button>
    </>
  )
}
