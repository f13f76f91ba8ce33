import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { patch, post } from '@/api/http'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import type { Entity } from '@/meta/types'
import { Dialog, Labelled } from '@/ui/basics'
import type { SavedView, ViewState } from './state'

export default function ViewDialog({ entity, view, state, kind, onClose, onDone }: { entity: Entity; view: SavedView | undefined; state: ViewState; kind: string; onClose: () => void; onDone: (v: SavedView) => Promise<void> }) {
  const { t } = useTranslation()
  const [name, setName] = useState(view?.name ?? '')
  const [visibility, setVisibility] = useState<'private' | 'shared'>(view?.visibility ?? 'private')
  const { submit, busy, errors, message } = useSubmit(async () => {
    const v = view ? await patch<SavedView>(`/views/${view.id}`, { name, visibility }) : await post<SavedView>('/views', { entity: entity.name, name, kind, state, visibility })
    await onDone(view ? { ...view, ...v } : v)
    done(t('views.saved'))
    onClose()
  })
  return (
    <Dialog title={view ? t('views.edit') : t('views.saveNew')} width={420} onClose={onClose} onSubmit={() => void submit()} footer={<>
      <button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !name.trim()}>{t('save')}</button></>}>
      <Labelled label={t('name')} required error={errors.name ?? (message && !Object.keys(errors).length ? message : undefined)} className="mb-4">{(p) => <input {...p} className="input" autoFocus value={name} onChange={(e) => setName(e.target.value)} />}</Labelled>
      <fieldset className="border-0 p-0 m-0"><legend className="field-label">{t('views.who')}</legend>
        {(['private', 'shared'] as const).map((v) => <label key={v} className="flex items-center gap-2 h-8"><input type="radio" name="visibility" checked={visibility === v} onChange={() => setVisibility(v)} />{t(`views.${v}`)}</label>)}
      </fieldset>
    </Dialog>
  )
}
