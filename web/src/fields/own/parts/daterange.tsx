import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { asDays } from '@/fields/own/clock'
import type { InputProps } from '../../registry'
import { aria } from '../../shared'

/** Two days; the server says what is missing or does not fit. */
export default function DateRange(p: InputProps) {
  const { t } = useTranslation()
  const ref = useRef<HTMLInputElement>(null)
  const [[from, to], set] = useState<[string, string]>(() => asDays(p.value) ?? ['', ''])
  useEffect(() => { if (p.autoFocus) ref.current?.focus() }, [p.autoFocus])
  const change = (days: [string, string]) => { set(days); p.onChange(days[0] && days[1] ? days.join('/') : days[0] || days[1] ? { from: days[0] || null, to: days[1] || null } : null) }
  const { id, ...said } = aria(p)
  return (
    <div role="group" aria-label={p.label ?? p.field.label} className="flex flex-wrap items-center gap-1.5">
      <input ref={ref} id={id} {...said} className="input num !w-[148px]" type="date" max="9999-12-31" aria-label={t('own.firstDay')} value={from} onChange={(e) => change([e.target.value, to || e.target.value])} />
      <span aria-hidden="true">–</span>
      <input {...said} className="input num !w-[148px]" type="date" max="9999-12-31" min={from || undefined} aria-label={t('own.lastDay')} value={to} onChange={(e) => change([from, e.target.value])} />
    </div>
  )
}
