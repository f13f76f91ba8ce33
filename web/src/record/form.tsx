import { clsx } from 'clsx'
import { ChevronDown } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isEmpty, typeOf } from '@/fields/registry'
import type { Field } from '@/meta/types'
import { Labelled } from '@/ui/basics'

/** A long form shows its first rows; the rest opens on demand, and by itself where something is wrong in it. */
export function LongForm({ rows, visible, ...p }: { rows: Field[][]; visible: number; values: Record<string, unknown>; onChange: (name: string, v: unknown) => void; errors: Record<string, string>; focusFirst?: boolean }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const required = (r: Field[]) => r.some((f) => f.required && isEmpty(f.default))
  const first = rows.filter((r, i) => i < visible || required(r))
  const rest = rows.filter((r) => !first.includes(r))
  const shown = open || rest.flat().some((f) => p.errors[f.name])
  return (
    <>
      <FormFields rows={first} {...p} />
      {rest.length > 1 && <button type="button" className="btn ghost sm mt-3" aria-expanded={shown} onClick={() => setOpen(!open)}><ChevronDown size={14} style={{ transform: shown ? 'rotate(180deg)' : undefined }} />{t('record.moreFields')}</button>}
      {(shown || rest.length === 1) && rest.length > 0 && <div className="mt-3.5"><FormFields rows={rest} {...p} focusFirst={false} /></div>}
    </>
  )
}

export function FormFields({ rows, values, onChange, errors, focusFirst }: { rows: Field[][]; values: Record<string, unknown>; onChange: (name: string, v: unknown) => void; errors: Record<string, string>; focusFirst?: boolean }) {
  const first = rows[0]?.[0]?.name
  return (
    <div className="space-y-3.5">
      {rows.map((row) => (
        <div key={row.map((f) => f.name).join()} className={clsx('grid gap-x-5 gap-y-3.5', row.length > 1 && !row.some((f) => typeOf(f).wide && row.length < 2) && 'sm:grid-cols-2', row.length > 2 && 'lg:grid-cols-3')}>
          {row.map((f) => {
            const { Input } = typeOf(f)
            return (
              <Labelled key={f.name} label={f.label} required={f.required} error={errors[f.name]} help={f.help}>
                {(p) => <Input field={f} value={values[f.name] ?? null} onChange={(v) => onChange(f.name, v)} record={values} id={p.id} invalid={p['aria-invalid']} describedBy={p['aria-describedby']} autoFocus={focusFirst && f.name === first && f.type !== 'relation'} />}
              </Labelled>
            )
          })}
        </div>
      ))}
    </div>
  )
}

/** Refusals that belong to no field on the screen are not lost. */
export function OtherErrors({ message, errors, known }: { message: string; errors: Record<string, string>; known: (name: string) => boolean }) {
  const other = Object.entries(errors).filter(([k]) => !known(k))
  if (!message && other.length === 0) return null
  return (
    <div className="note bad mb-4" role="alert">
      {message}
      {other.filter(([, m]) => m !== message).map(([k, m]) => <div key={k}>{m}</div>)}
    </div>
  )
}

/** To what is wrong, once it is drawn. */
export const focusBad = (): void => void requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
