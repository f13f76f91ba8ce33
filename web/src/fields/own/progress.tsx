import { useEffect, useRef } from 'react'
import { formatNumber } from '@/lib/format'
import type { CellProps, FieldType, InputProps } from '../registry'
import { aria, NumberInput, numberOperators, Txt } from '../shared'

const format: FieldType['format'] = (v, _f, l) => { const n = formatNumber(v, l, { max: 2 }); return n && `${n}%` }
const bounded = (v: unknown): number => Math.max(0, Math.min(100, Number(v) || 0))
function Cell({ field, value, locale, plain }: CellProps) {
  if (value === null || value === undefined || value === '') return null
  const said = format(value, field, locale)
  if (plain) return <Txt>{said}</Txt>
  return (
    <span className="flex items-center gap-2 min-w-0 w-full" style={{ minWidth: 90, maxWidth: 220 }}>
      <span role="progressbar" aria-label={field.label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={bounded(value)} aria-valuetext={said} className="flex-1 overflow-hidden" style={{ blockSize: 6, minWidth: 40, borderRadius: 3, background: 'var(--line-strong)' }}>
        <span className="block h-full" style={{ inlineSize: `${bounded(value)}%`, background: 'var(--accent-solid)' }} />
      </span>
      <span className="num text-xs" aria-hidden="true">{said}</span>
    </span>
  )
}
/** A number, and a slider that the arrows move. */
function Input(p: InputProps) {
  const slider = useRef<HTMLInputElement>(null)
  useEffect(() => { if (p.autoFocus && !p.compact && p.typed === undefined) slider.current?.focus() }, [p.autoFocus])
  if (p.compact) return <NumberInput p={p} />
  const { id: _, ...said } = aria(p)
  return (
    <span className="flex items-center gap-3">
      <input ref={slider} {...said} aria-label={p.label ?? p.field.label} aria-required={undefined} type="range" className="flex-1 min-w-0" min={0} max={100} step={1} value={bounded(p.value)} onChange={(e) => p.onChange(e.target.value)} />
      <span style={{ inlineSize: 84 }}><NumberInput p={{ ...p, autoFocus: p.typed !== undefined }} suffix="%" /></span>
    </span>
  )
}
export default { Cell, Input, Filter: (p) => <NumberInput p={p} suffix="%" />, format, operators: numberOperators, width: 150, types: true, sum: 'avg' } satisfies FieldType
