import { useQuery } from '@tanstack/react-query'
import { Paperclip, X } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fileUrl, uploadFile } from '@/api/files'
import { messageOf, url } from '@/api/http'
import type { CellProps, FieldType, InputProps } from '../registry'
import { emptiness, text } from '../shared'

type Ref = { id: string; name?: string }
const idOf = (v: unknown): string | null => (v && typeof v === 'object' ? (v as Ref).id : v ? String(v) : null)

function useFileName(v: unknown): string {
  const id = idOf(v)
  const own = v && typeof v === 'object' ? (v as Ref).name : undefined
  const { data } = useQuery({
    queryKey: ['file-name', id], enabled: !!id && !own, staleTime: Infinity, retry: false,
    queryFn: async () => {
      const res = await fetch(url(`/files/${id}`), { method: 'HEAD' })
      const d = res.headers.get('content-disposition') ?? ''
      return decodeURIComponent(/filename\*=UTF-8''([^;]+)/i.exec(d)?.[1] ?? /filename="?([^";]+)/i.exec(d)?.[1] ?? '')
    },
  })
  return own ?? (data || (id ? id.slice(0, 8) : ''))
}
function Cell({ value, link }: CellProps) {
  const name = useFileName(value)
  const id = idOf(value)
  return id ? <a className="link txt inline-flex items-center gap-1" href={fileUrl(id)} download tabIndex={link ? 0 : -1} onClick={(e) => e.stopPropagation()}><Paperclip size={13} aria-hidden="true" />{name}</a> : null
}
function Input(p: InputProps) {
  const { t } = useTranslation()
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const name = useFileName(p.value)
  return (
    <div className="flex items-center gap-2 min-h-8 flex-wrap">
      {idOf(p.value) && <><span className="truncate">{name}</span><button type="button" className="btn ghost icon sm" aria-label={t('removeNamed', { name })} onClick={() => p.onChange(null)}><X size={14} /></button></>}
      <button id={p.id} type="button" className="btn sm" aria-describedby={p.describedBy} aria-busy={busy} onClick={() => input.current?.click()}><Paperclip size={13} />{busy ? t('uploading') : t('chooseFile')}</button>
      <input ref={input} type="file" hidden aria-label={p.label ?? p.field.label} onChange={async (e) => {
        const f = e.target.files?.[0]
        if (!f) return
        setBusy(true); setProblem('')
        try { const up = await uploadFile(f, {}); p.onChange(up.id); p.onCommit?.(up.id) } catch (err) { setProblem(messageOf(err)) } finally { setBusy(false) }
      }} />
      {problem && <span className="field-error" role="alert">{problem}</span>}
    </div>
  )
}
export default { Cell, Input, format: (v) => (v && typeof v === 'object' ? text((v as Ref).name) : text(v)), operators: emptiness, width: 150 } satisfies FieldType
