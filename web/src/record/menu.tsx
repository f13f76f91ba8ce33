import { Copy, Ellipsis, FileText, Link2, Mail, Printer, Trash2 } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { MOD } from '@/lib/keys'
import { done } from '@/lib/undo'
import type { Entity } from '@/meta/types'
import { Menu } from '@/ui/basics'

const SendDialog = lazy(() => import('./send'))

export function RecordMenu({ entity, id, version, onGone }: { entity: Entity; id: string; version: number | undefined; onGone: () => void }) {
  const { t } = useTranslation()
  const [sending, setSending] = useState(false)
  const copy = (text: string) => void navigator.clipboard.writeText(text).then(() => toast.success(t('copied')), () => toast.error(t('error.clipboard')))
  const erase = async () => {
    try {
      await records.remove(entity.name, id, version)
      onGone()
      records.refresh(entity.name)
      done(t('deleted', { name: entity.label }), async () => { await records.restore(entity.name, id); records.refresh(entity.name) })
    } catch (e) { toast.error(messageOf(e), { duration: 9000 }) }
  }
  return (
    <>
      <a className="btn ghost icon sm text-fg" href={records.printUrl(entity.name, id)} target="_blank" rel="noreferrer" aria-label={t('record.pdf')} title={t('record.pdf')}><FileText size={15} /></a>
      <Menu align="end" trigger={<button type="button" className="btn ghost icon sm" aria-label={t('moreActions')}><Ellipsis size={16} /></button>} items={[
        entity.can.export && { label: t('record.send'), icon: <Mail size={15} />, onSelect: () => setSending(true) },
        { label: t('print.title'), icon: <Printer size={15} />, hint: `${MOD}P`, onSelect: () => setTimeout(() => print(), 50) },
        { label: t('record.copyLink'), icon: <Link2 size={15} />, onSelect: () => copy(`${location.origin}/o/${entity.name.replace('.', '-')}/r/${id}`) },
        { label: t('record.copyId'), icon: <Copy size={15} />, onSelect: () => copy(id) },
        entity.can.delete && 'rule',
        entity.can.delete && { label: t('delete'), icon: <Trash2 size={15} />, danger: true, onSelect: () => void erase() },
      ]} />
      <Suspense fallback={null}>{sending && <SendDialog entity={entity} id={id} onClose={() => setSending(false)} />}</Suspense>
    </>
  )
}
