import { useQuery } from '@tanstack/react-query'
import { Download, Paperclip, Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { fileUrl, uploadFile, type StoredFile } from '@/api/files'
import { get, messageOf } from '@/api/http'
import { usePeople } from '@/api/people'
import { queryClient } from '@/api/session'
import { formatAgo, formatBytes, useLocale } from '@/lib/format'
import { Failure, Skeleton } from '@/ui/basics'

export function Files({ entity, id }: { entity: string; id: string }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const people = usePeople()
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(0)
  const [over, setOver] = useState(false)
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['files', entity, id], queryFn: () => get<{ data: StoredFile[] }>('/files', { entity, record: id }).then((r) => r.data ?? []) })
  const take = async (files: FileList | null) => {
    const all = [...(files ?? [])]
    setBusy(all.length)
    for (const f of all) {
      try { await uploadFile(f, { entity, record: id }) } catch (e) { toast.error(`${f.name}: ${messageOf(e)}`) }
      setBusy((n) => n - 1)
    }
    void queryClient.invalidateQueries({ queryKey: ['files', entity, id] })
  }
  if (error) return <Failure error={error} retry={() => void refetch()} />
  return (
    <div className="p-4" style={over ? { background: 'var(--sel)' } : undefined} onDragOver={(e) => { e.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)} onDrop={(e) => { e.preventDefault(); setOver(false); void take(e.dataTransfer.files) }}>
      <button type="button" className="btn" aria-busy={busy > 0} onClick={() => input.current?.click()}><Upload size={14} />{busy ? t('uploading') : t('files.upload')}</button>
      <span className="text-faint text-xs ms-2">{t('files.drop')}</span>
      <input ref={input} type="file" multiple hidden aria-label={t('files.upload')} onChange={(e) => { void take(e.target.files); e.target.value = '' }} />
      {isPending ? <Skeleton rows={3} /> : (
        <ul className="list-none m-0 mt-3 p-0">
          {data.map((f) => (
            <li key={f.id} className="flex items-center gap-2 h-10 border-b border-line">
              <Paperclip size={14} className="text-muted" aria-hidden="true" /><span className="truncate flex-1">{f.name}</span>
              <span className="text-faint text-xs num">{formatBytes(f.size, locale)}</span><span className="text-faint text-xs truncate max-w-[40%]">{[people.find((p) => p.id === f.created_by)?.name, formatAgo(f.created_at, locale)].filter(Boolean).join(' · ')}</span>
              <a className="btn ghost icon sm" href={fileUrl(f.id)} download={f.name} aria-label={t('files.download', { name: f.name })}><Download size={14} /></a>
            </li>
          ))}
          {data.length === 0 && <li className="text-muted py-3">{t('files.none')}</li>}
        </ul>
      )}
    </div>
  )
}
