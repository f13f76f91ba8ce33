import './parts.css'
import { Eraser } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import { formatInstant, useLocale } from '@/lib/format'
import type { InputProps } from '../../registry'
import { Strokes, type Signature } from '../signature'
import { useAutoFocus } from '../../shared'

/** Drawn with whatever points, or typed. What was saved stays until it is cleared. */
export default function SignatureInput(p: InputProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const people = usePeople()
  const value = (p.value && typeof p.value === 'object' ? p.value : null) as Signature | null
  const [signed] = useState(!!value?.at)
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus)
  const drawing = useRef<string[]>([])
  const [path, setPath] = useState(value?.at ? '' : value?.path ?? '')
  const down = useRef(false)
  if (value?.at) {
    const who = people.find((x) => x.id === value.by || x.user === value.by)?.name
    return (
      <div className="flex flex-wrap items-center gap-3">
        <Strokes of={value} height={64} />
        <span className="text-muted text-xs">{[who, formatInstant(value.at, locale)].filter(Boolean).join(' · ')}</span>
        <button type="button" id={p.id} className="btn sm" onClick={() => p.onChange(null)}><Eraser size={14} />{t('sign.clear')}</button>
      </div>
    )
  }
  if (signed) return <div role="status" className="text-muted">{t('sign.cleared')}</div>
  const point = (e: React.PointerEvent<SVGSVGElement>) => {
    const r = e.currentTarget.getBoundingClientRect()
    return `${Math.round(((e.clientX - r.left) / r.width) * 3000) / 10} ${Math.round(((e.clientY - r.top) / r.height) * 1000) / 10}`
  }
  const add = (s: string) => { drawing.current.push(s); setPath(drawing.current.join('')) }
  const end = () => { if (down.current) { down.current = false; p.onChange({ path: drawing.current.join('') }) } }
  return (
    <div className="w-full">
      <svg viewBox="0 0 300 100" className="sign-pad" role="img" aria-label={t('sign.pad')}
        onPointerDown={(e) => { e.preventDefault(); e.currentTarget.setPointerCapture(e.pointerId); down.current = true; const at = point(e); add(`M${at}L${at}`) }}
        onPointerMove={(e) => { if (down.current && drawing.current.length < 1500) add(`L${point(e)}`) }} onPointerUp={end} onPointerCancel={end}>
        <path d="M20 80H280" stroke="var(--line)" /><path d={path} fill="none" stroke="currentColor" strokeWidth={2.5} strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      <div className="flex gap-2 mt-2 max-w-[420px]">
        <input ref={ref} id={p.id} className="input" aria-label={p.label ? `${p.label}: ${t('sign.type')}` : undefined} aria-invalid={p.invalid} aria-describedby={p.describedBy} placeholder={t('sign.type')} maxLength={200} autoComplete="off" value={value?.text ?? ''} onChange={(e) => { drawing.current = []; setPath(''); p.onChange(e.target.value.trim() ? { text: e.target.value } : null) }} />
        <button type="button" className="btn" disabled={!value} onClick={() => { drawing.current = []; setPath(''); p.onChange(null) }}><Eraser size={14} />{t('sign.clear')}</button>
      </div>
    </div>
  )
}
