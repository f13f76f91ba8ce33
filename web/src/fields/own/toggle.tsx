import i18next from 'i18next'
import { useEffect, useRef } from 'react'
import { typeOf, type FieldType, type InputProps } from '../registry'
import { aria } from '../shared'

const boolean = typeOf({ type: 'boolean' })

function Look({ on, large }: { on: boolean; large?: boolean }) {
  const [w, h] = large ? [36, 20] : [26, 15]
  return <span aria-hidden="true" className="inline-flex flex-none" style={{ inlineSize: w, blockSize: h, padding: 2, borderRadius: h, background: on ? 'var(--accent-solid)' : 'var(--control)', justifyContent: on ? 'flex-end' : 'flex-start' }}><span style={{ inlineSize: h - 4, blockSize: h - 4, borderRadius: h, background: '#fff' }} /></span>
}
const Cell: FieldType['Cell'] = ({ value }) => (value === true || value === false ? <span className="inline-flex"><Look on={value} /><span className="visually-hidden">{i18next.t(value ? 'yes' : 'no')}</span></span> : null)
function Input(p: InputProps) {
  const ref = useRef<HTMLButtonElement>(null)
  useEffect(() => { if (p.autoFocus) ref.current?.focus() }, [p.autoFocus])
  const { 'aria-required': _, ...said } = aria(p)
  const on = p.value === true
  return <button ref={ref} {...said} aria-label={p.label ?? p.field.label} type="button" role="switch" aria-checked={on} className="border-0 bg-transparent inline-flex items-center" style={{ minHeight: 32, minWidth: 44, padding: 0 }} onClick={() => { p.onChange(!on); p.onCommit?.(!on) }}><Look on={on} large /></button>
}
export default { ...boolean, Cell, Input } satisfies FieldType
