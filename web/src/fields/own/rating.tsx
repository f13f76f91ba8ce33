import { Star } from 'lucide-react'
import { useEffect, useRef } from 'react'
import type { Field } from '@/meta/types'
import type { CellProps, FieldType, InputProps } from '../registry'
import { aria, numberOperators } from '../shared'

const most = (f: Field): number => Number(f.max ?? 5) || 5
const format: FieldType['format'] = (v, f) => (v === null || v === undefined || v === '' ? '' : `${Number(v)} / ${most(f)}`)
function Stars({ n, of, onPick }: { n: number; of: number; onPick?: (n: number) => void }) {
  return (
    <span className="inline-flex text-accent" aria-hidden="true">
      {Array.from({ length: of }, (_, i) => <Star key={i} size={onPick ? 20 : 14} fill={i < n ? 'currentColor' : 'none'} className={i < n ? undefined : 'text-faint'} {...(onPick ? { style: { cursor: 'pointer', padding: 1 }, 'data-star': i + 1, onPointerDown: (e: React.PointerEvent) => { e.preventDefault(); onPick(i + 1 === n ? i : i + 1) } } : {})} />)}
    </span>
  )
}
function Cell({ value, field }: CellProps) {
  if (value === null || value === undefined || value === '') return null
  return <span className="inline-flex items-center"><Stars n={Number(value)} of={most(field)} /><span className="visually-hidden">{format(value, field, { locale: 'en', zone: 'UTC', currency: '' })}</span></span>
}
/** Arrows, digits, Home and End; Delete takes it off. */
function Input(p: InputProps) {
  const ref = useRef<HTMLSpanElement>(null)
  const of = most(p.field)
  const given = p.value !== null && p.value !== undefined && p.value !== ''
  const now = given ? Number(p.value) : 0
  const set = (n: number | null) => p.onChange(n === null ? null : Math.max(0, Math.min(of, n)))
  useEffect(() => { if (p.autoFocus) ref.current?.focus() }, [p.autoFocus])
  useEffect(() => { if (p.typed && /^\d$/.test(p.typed)) set(Number(p.typed)) }, [])
  const forward = () => (document.documentElement.dir === 'rtl' ? -1 : 1)
  const keys: Record<string, () => void> = {
    ArrowRight: () => set(now + forward()), ArrowLeft: () => set(now - forward()), ArrowUp: () => set(now + 1), ArrowDown: () => set(now - 1),
    Home: () => set(0), End: () => set(of), Delete: () => set(null), Backspace: () => set(null),
  }
  return (
    <span ref={ref} {...aria(p)} aria-required={undefined} aria-invalid={undefined} aria-label={p.field.label} role="slider" tabIndex={0} aria-valuemin={0} aria-valuemax={of} aria-valuenow={now} aria-valuetext={given ? format(p.value, p.field, { locale: 'en', zone: 'UTC', currency: '' }) : '—'}
      className="inline-flex items-center" style={{ minHeight: 32, paddingInline: p.compact ? 8 : 2, borderRadius: 6 }}
      onKeyDown={(e) => {
        if (e.metaKey || e.ctrlKey || e.altKey) return
        const act = keys[e.key] ?? (/^\d$/.test(e.key) ? () => set(Number(e.key)) : undefined)
        if (act) { e.preventDefault(); e.stopPropagation(); act() }
      }}>
      <Stars n={now} of={of} onPick={set} />
    </span>
  )
}
export default { Cell, Input, format, operators: numberOperators, width: 120, types: true } satisfies FieldType
