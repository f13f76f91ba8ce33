import { clsx } from 'clsx'
import { X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { EntityIcon } from '@/ui/icon'
import { ICONS } from '@/ui/icon-names'
import type { InputProps } from '../../registry'
import { text } from '../../shared'
import { Choice } from './choice'

/** One of the icons that tables of one's own have, too. */
export default function IconInput(p: InputProps) {
  const { t } = useTranslation()
  const first = useRef<HTMLButtonElement>(null)
  const value = text(p.value)
  useEffect(() => { if (p.autoFocus) first.current?.focus() }, [p.autoFocus])
  if (p.compact) return <Choice p={p} options={ICONS.map((id) => ({ id, label: t(`icons.${id}`) }))} />
  return (
    <div id={p.id} role="group" aria-label={p.label ?? p.field.label} aria-describedby={p.describedBy} className="flex flex-wrap gap-1">
      {ICONS.map((name, i) => <button key={name} ref={i === 0 ? first : undefined} type="button" className={clsx('btn ghost icon sm', value === name && 'on')} aria-label={t(`icons.${name}`)} title={t(`icons.${name}`)} aria-pressed={value === name} onClick={() => p.onChange(name)}><EntityIcon name={name} size={15} /></button>)}
      {value && <button type="button" className="btn ghost icon sm" aria-label={t('remove')} onClick={() => p.onChange(null)}><X size={14} /></button>}
    </div>
  )
}
