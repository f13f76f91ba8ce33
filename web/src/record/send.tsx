import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '@/api/http'
import { pathOf } from '@/api/records'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import type { Entity } from '@/meta/types'
import { Dialog, Labelled } from '@/ui/basics'

/** A letter with the record's PDF. */
export default function SendDialog({ entity, id, onClose }: { entity: Entity; id: string; onClose: () => void }) {
  const { t } = useTranslation()
  const [v, setV] = useState({ to: '', subject: '', message: '' })
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post(`${pathOf(entity.name)}/${id}/_send`, Object.fromEntries(Object.entries(v).filter(([, x]) => x.trim())))
    done(t('record.sent', { to: v.to }))
    onClose()
  })
  const set = (k: keyof typeof v) => (e: { target: { value: string } }) => setV({ ...v, [k]: e.target.value })
  return (
    <Dialog title={t('record.send')} width={480} description={t('record.sendText')} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !v.to.trim()} aria-busy={busy}>{t('record.sendNow')}</button></>}>
      {message && !Object.keys(errors).length && <div className="note bad mb-3" role="alert">{message}</div>}
      <div className="space-y-4">
        <Labelled label={t('record.to')} required error={errors.to}>{(p) => <input {...p} className="input" type="email" autoFocus value={v.to} onChange={set('to')} />}</Labelled>
        <Labelled label={t('record.subject')} error={errors.subject}>{(p) => <input {...p} className="input" value={v.subject} onChange={set('subject')} />}</Labelled>
        <Labelled label={t('record.message')} error={errors.message}>{(p) => <textarea {...p} className="input" rows={4} value={v.message} onChange={set('message')} />}</Labelled>
      </div>
    </Dialog>
  )
}
