import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { InputProps } from '../../registry'
import { aria, text, TextInput } from '../../shared'
import Shown from './shown'

/** The words as they are typed, and what becomes of them. */
export default function MarkdownInput(p: InputProps) {
  const { t } = useTranslation()
  const ref = useRef<HTMLTextAreaElement>(null)
  const [shown, setShown] = useState(false)
  useEffect(() => { if (p.autoFocus) ref.current?.focus() }, [p.autoFocus])
  if (p.compact) return <TextInput p={p} />
  return (
    <div className="w-full">
      {shown ? <div className="input" style={{ height: 'auto', minHeight: 120, paddingBlock: 6 }}><Shown text={text(p.value)} /></div>
        : <textarea ref={ref} {...aria(p)} className="input" style={{ fontFamily: 'ui-monospace, monospace' }} rows={6} value={text(p.value)} onChange={(e) => p.onChange(e.target.value === '' ? null : e.target.value)} />}
      <button type="button" className="btn ghost sm mt-1" aria-pressed={shown} onClick={() => setShown(!shown)}>{t('own.preview')}</button>
    </div>
  )
}
