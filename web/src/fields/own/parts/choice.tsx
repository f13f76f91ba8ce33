import i18next from 'i18next'
import { useEffect, useRef } from 'react'
import type { InputProps } from '../../registry'
import { aria, text } from '../../shared'

/** One of many that the browser knows; typing finds it. */
export function Choice({ p, options }: { p: InputProps; options: { id: string; label: string }[] }) {
  const ref = useRef<HTMLSelectElement>(null)
  useEffect(() => { if (p.autoFocus) ref.current?.focus() }, [p.autoFocus])
  const value = text(p.value)
  return (
    <select ref={ref} {...aria(p)} className="input" value={value} onChange={(e) => p.onChange(e.target.value || null)}>
      <option value="" aria-label={i18next.t('choose')} />
      {value && !options.some((o) => o.id === value) && <option value={value}>{value}</option>}
      {options.map((o) => <option key={o.id} value={o.id}>{o.label}</option>)}
    </select>
  )
}
