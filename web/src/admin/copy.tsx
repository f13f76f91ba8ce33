import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

export function CopyBox({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  return (
    <div>
      <div className="field-label">{label}</div>
      <div className="flex items-start gap-2">
        <pre tabIndex={0} aria-label={label} className="flex-1 m-0 px-2.5 py-1.5 rounded-md bg-sunken border border-line overflow-auto text-xs select-all" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{value}</pre>
        <button type="button" className="btn icon" aria-label={t('copyNamed', { name: label })} onClick={() => void navigator.clipboard.writeText(value).then(() => { setCopied(true); setTimeout(() => setCopied(false), 1500) })}>{copied ? <Check size={15} /> : <Copy size={15} />}</button>
      </div>
    </div>
  )
}
