import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { withWords } from '@/i18n'
import type { CellProps, FieldType, InputProps } from '../registry'
import { aria, emptiness, text, TextCell } from '../shared'
import { stepsOf } from './parts/steps'

const Trace = lazy(() => withWords(() => import('./parts/trace')))

function Cell(p: CellProps) {
  const steps = p.whole ? stepsOf(p.value) : undefined
  if (!steps) return <TextCell {...p} />
  const { amount, currency } = p.value as { amount?: unknown; currency?: unknown }
  return <Suspense fallback={<span className="skel block" style={{ blockSize: 96 }} />}><Trace steps={steps} amount={amount} currency={currency} locale={p.locale} /></Suspense>
}

function Input(p: InputProps) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState(() => (p.value === null || p.value === undefined ? '' : JSON.stringify(p.value, null, 2)))
  const [wrong, setWrong] = useState(false)
  return (
    <>
      <textarea {...aria(p)} autoFocus={p.autoFocus} aria-invalid={p.invalid || wrong} className="input" rows={p.compact ? 1 : 4} style={{ fontFamily: 'ui-monospace, monospace', fontSize: 12 }} spellCheck={false} value={draft}
        onChange={(e) => {
          setDraft(e.target.value)
          if (e.target.value.trim() === '') { setWrong(false); p.onChange(null); return }
          try { p.onChange(JSON.parse(e.target.value)); setWrong(false) } catch { setWrong(true) }
        }} />
      {wrong && <div className="field-error" role="status">{t('error.json')}</div>}
    </>
  )
}
export default { Cell, Input, format: text, operators: emptiness, width: 200, wide: true } satisfies FieldType
