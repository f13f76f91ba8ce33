import { X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Chip } from '@/ui/basics'
import type { CellProps, FieldType, InputProps } from '../registry'
import { aria, emptiness, useAutoFocus } from '../shared'

const COLORS = ['blue', 'violet', 'amber', 'green', 'cyan', 'pink']
const colorOf = (s: string) => COLORS[[...s].reduce((n, c) => n + c.codePointAt(0)!, 0) % COLORS.length]!
const asList = (v: unknown): string[] => (Array.isArray(v) ? v.map(String) : typeof v === 'string' && v ? v.split(',').map((s) => s.trim()) : [])
function Cell({ value }: CellProps) {
  return <span className="flex gap-1 overflow-hidden">{asList(value).map((x) => <Chip key={x} option={{ id: x, label: x, color: colorOf(x) }} />)}</span>
}
function Input(p: InputProps) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus)
  const on = asList(p.value)
  const add = () => {
    const fresh = text.split(',').map((s) => s.trim()).filter((s) => s && !on.includes(s))
    if (fresh.length) p.onChange([...on, ...fresh])
    setText('')
    return fresh.length > 0
  }
  return (
    <div className="input flex flex-wrap items-center gap-1" style={{ height: 'auto', minHeight: 32, paddingBlock: 3 }}>
      {on.map((x) => (
        <span key={x} className={`chip plain ${colorOf(x)}`}>{x}
          <button type="button" className="border-0 bg-transparent p-0 flex" style={{ minWidth: 16, minHeight: 16, alignItems: 'center' }} aria-label={t('removeNamed', { name: x })} onClick={() => p.onChange(on.filter((y) => y !== x))}><X size={12} /></button>
        </span>
      ))}
      <input ref={ref} {...aria(p)} className="flex-1 min-w-[60px] border-0 bg-transparent outline-none p-0" style={{ outline: 'none' }} value={text} onChange={(e) => setText(e.target.value)} onBlur={add}
        onKeyDown={(e) => {
          if ((e.key === 'Enter' || e.key === ',') && text) { e.preventDefault(); e.stopPropagation(); add() }
          if (e.key === 'Backspace' && !text && on.length) p.onChange(on.slice(0, -1))
        }} />
    </div>
  )
}
export default { Cell, Input, format: (v) => asList(v).join(', '), operators: [{ name: 'has_any', operand: 'one' }, { name: 'has_all', operand: 'one' }, { name: 'has_none', operand: 'one' }, ...emptiness], width: 170 } satisfies FieldType
