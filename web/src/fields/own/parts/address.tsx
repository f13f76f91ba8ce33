import { useEffect, useId, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { asAddress, PLACES } from '@/fields/own/place'
import type { InputProps } from '../../registry'
import country from '../country'

/** Its parts, each by its name. */
export default function AddressInput(p: InputProps) {
  const { t } = useTranslation()
  const own = useId()
  const ref = useRef<HTMLInputElement>(null)
  const now = asAddress(p.value) ?? {}
  useEffect(() => { if (p.autoFocus) ref.current?.focus() }, [p.autoFocus])
  const set = (part: string, v: unknown) => {
    const next = Object.fromEntries(Object.entries({ ...now, [part]: v }).filter(([, x]) => x))
    p.onChange(Object.keys(next).length ? next : null)
  }
  return (
    <div id={p.id} role="group" aria-label={p.label ?? p.field.label} aria-describedby={p.describedBy} className="grid grid-cols-2 gap-x-3 gap-y-2">
      {PLACES.map((part) => {
        const said = { id: own + part, label: t(`own.${part}`) }
        return (
          <div key={part} className={part === 'street' ? 'col-span-2' : undefined}>
            <label htmlFor={said.id} className="field-label">{said.label}</label>
            {part === 'country' ? <country.Input field={{ ...p.field, required: false }} value={now.country ?? null} record={{}} id={said.id} onChange={(v) => set(part, v)} />
              : <input ref={part === 'street' ? ref : undefined} id={said.id} className="input" aria-invalid={p.invalid} maxLength={part === 'postal_code' ? 20 : 500} autoComplete="off" value={now[part] ?? ''} onChange={(e) => set(part, e.target.value)} />}
          </div>
        )
      })}
    </div>
  )
}
