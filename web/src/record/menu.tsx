import { Copy, Ellipsis, Link2, Printer, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { toast } from 'sonner'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { done } from '@/lib/undo'
import type { Entity } from '@/meta/types'
import { Menu } from '@/ui/basics'

export function RecordMenu({ entity, id, version, onGone }: { entity: Entity; id: string; version: number | undefined; onGone: () => void }) {
  const { t } = useTranslation()
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
    <Menu align="end" trigger={<button type="button" className="btn ghost icon sm" aria-label={t('moreActions')}><Ellipsis size={16} /></button>} items={[
      { label: t('record.copyLink'), icon: <Link2 size={15} />, onSelect: () => copy(`${location.origin}/o/${entity.name.replace('.', '-')}/r/${id}`) },
      { label: t('record.copyId'), icon: <Copy size={15} />, onSelect: () => copy(id) },
      { label: t('print'), icon: <Printer size={15} />, onSelect: () => setTimeout(() => print(), 80) },
      entity.can.delete && 'rule',
      entity.can.delete && { label: t('delete'), icon: <Trash2 size={15} />, danger: true, onSelect: () => void erase() },
    ]} />
  )
}
