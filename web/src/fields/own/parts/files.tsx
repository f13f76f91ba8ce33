import { Download } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fileUrl } from '@/api/files'
import { Dialog } from '@/ui/basics'
import { FileLink, type Held } from '../file'

/** Pictures are seen, and larger when they are pressed; other files are their names. */
export default function Files({ files }: { files: Held[] }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState<Held>()
  return (
    <span className="flex flex-wrap gap-2 items-center" role="presentation" onClick={(e) => e.stopPropagation()}>
      {files.map((f) => !f.type?.startsWith('image/') ? <FileLink key={f.id} file={f} /> : (
        <button key={f.id} type="button" className="btn ghost !p-0.5 !h-auto" aria-label={t('files.show', { name: f.name })} title={f.name} onClick={() => setOpen(f)}>
          <img src={fileUrl(f.id)} alt="" loading="lazy" className="rounded-sm border border-line" style={{ blockSize: 64, maxInlineSize: 160, objectFit: 'cover' }} />
        </button>
      ))}
      {open && (
        <Dialog title={open.name} width={960} onClose={() => setOpen(undefined)} footer={<>
          <a className="btn" href={fileUrl(open.id)} download={open.name}><Download size={14} />{t('files.download', { name: open.name })}</a>
          <button type="button" className="btn primary" onClick={() => setOpen(undefined)}>{t('close')}</button>
        </>}>
          <img src={fileUrl(open.id)} alt={open.name} className="block mx-auto max-w-full" style={{ maxBlockSize: '70vh' }} />
        </Dialog>
      )}
    </span>
  )
}
