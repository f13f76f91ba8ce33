import { useTranslation } from 'react-i18next'
import { MOD } from '@/lib/keys'
import { done } from '@/lib/undo'
import type { Entity, Row } from '@/meta/types'
import { Dialog } from '@/ui/basics'
import { useCreating } from './creating'
import { LongForm, OtherErrors } from './form'

export default function CreateDialog({ entity, preset, onClose, onCreated }: { entity: Entity; preset?: Record<string, unknown>; onClose: () => void; onCreated: (row: Row) => void }) {
  const { t } = useTranslation()
  const made = useCreating(entity, `new ${entity.name}`, preset)
  const close = () => { made.leave(); onClose() }
  const save = async () => {
    const row = await made.save()
    if (row === 'waits') close()
    else if (row) { done(t('created', { name: entity.label })); onCreated(row) }
  }
  return (
    <Dialog title={t('newNamed', { name: entity.label })} width={entity.lines.length ? 1060 : 720} onClose={close} onSubmit={() => void save()} footer={<>
      <button type="button" className="btn" onClick={close}>{t('cancel')}</button>
      <button type="submit" className="btn primary" disabled={made.busy} aria-busy={made.busy}>{t('create')}<kbd aria-hidden="true">{MOD}↵</kbd></button></>}>
      <OtherErrors {...made.others} />
      <LongForm rows={made.rows} visible={entity.lines.length ? 3 : 7} {...made.fields} focusFirst />
      {made.lines('h3')}
    </Dialog>
  )
}
