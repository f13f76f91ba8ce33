import { Paperclip, X } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fileUrl, uploadFile } from '@/api/files'
import { withWords } from '@/i18n'
import { messageOf } from '@/api/http'
import type { CellProps, FieldType, InputProps } from '../registry'
import { emptiness } from '../shared'

export interface Held { id: string; name: string; type?: string; size?: number }
const Shown = lazy(() => withWords(() => import('./parts/files')))
const filesOf = (v: unknown): Held[] => (Array.isArray(v) ? (v as Held[]) : [])

function Cell({ value, link, plain, whole }: CellProps) {
  const all = filesOf(value)
  if (plain) return <span className="txt">{all.map((f) => f.name).join(', ')}</span>
  if (whole) return <Suspense><Shown files={all} /></Suspense>
  return <span className="txt">{all.map((f) => <FileLink key={f.id} file={f} tabIndex={link ? 0 : -1} />)}</span>
}
export function FileLink({ file, tabIndex }: { file: Held; tabIndex?: number }) {
  return <a className="link inline-flex items-center gap-1 me-2" href={fileUrl(file.id)} download={file.name} tabIndex={tabIndex} onClick={(e) => e.stopPropagation()}><Paperclip size={13} aria-hidden="true" />{file.name}</a>
}
/** Files are sent at once and hang on the record when it is saved; what is taken out of the field stays among its files. */
function Input(p: InputProps & { accept?: string }) {
  const { t } = useTranslation()
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(0)
  const held = filesOf(p.value)
  const take = async (files: File[]) => {
    setBusy(files.length); setProblem('')
    let all = held
    for (const f of files) {
      try { const up = await uploadFile(f, {}); all = [...all, { id: up.id, name: up.name, type: up.type, size: up.size }]; p.onChange(all) } catch (e) { setProblem(`${f.name}: ${messageOf(e)}`) }
      setBusy((n) => n - 1)
    }
  }
  return (
    <div className="flex items-center gap-2 min-h-8 flex-wrap">
      {held.map((f) => <span key={f.id} className="inline-flex items-center gap-1"><span className="truncate max-w-[160px]">{f.name}</span><button type="button" className="btn ghost icon sm" aria-label={t('removeNamed', { name: f.name })} onClick={() => p.onChange(held.length > 1 ? held.filter((x) => x !== f) : null)}><X size={14} /></button></span>)}
      <button id={p.id} type="button" className="btn sm max-md:!h-11" autoFocus={!!p.autoFocus} aria-describedby={p.describedBy} aria-busy={busy > 0} onClick={() => input.current?.click()}><Paperclip size={13} />{busy ? t('uploading') : t('chooseFile')}</button>
      <input ref={input} type="file" multiple hidden accept={p.accept} aria-label={p.label ?? p.field.label} onChange={(e) => { void take([...(e.target.files ?? [])]); e.target.value = '' }} />
      {problem && <span className="field-error" role="alert">{problem}</span>}
    </div>
  )
}
export default { Cell, Input, format: (v) => filesOf(v).map((f) => f.name).join(', '), operators: emptiness, width: 150, wide: true } satisfies FieldType
