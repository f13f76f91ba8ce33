import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '@/api/http'
import { typeOf } from '@/fields/registry'
import { useSubmit } from '@/lib/useForm'
import { useEntity } from '@/meta/hooks'
import type { Field } from '@/meta/types'
import { Chip, Dialog, Labelled } from '@/ui/basics'
import type { Deed, Trigger, Verdict } from './data'
import { Deeds, Verdicts } from './parts'

interface Told { conditions_met: boolean; condition_result: Verdict | null; actions: Deed[] }

/** What would be done about a record, and why: nothing is. */
export default function Trial({ trigger, onClose }: { trigger: Trigger; onClose: () => void }) {
  const { t } = useTranslation()
  const { data: entity } = useEntity(trigger.entity)
  const [record, setRecord] = useState<string | null>(null)
  const [told, setTold] = useState<Told | null>(null)
  const { submit, busy, message } = useSubmit(async () => { setTold(null); setTold(await post<Told>(`/triggers/${trigger.id}/try`, { record })) })
  const field = { name: 'record', label: entity?.label ?? '', type: 'relation', required: true, readonly: false, access: 'write', ref: { entity: trigger.entity, title_field: entity?.title_field ?? null }, filterable: true, sortable: false, custom: false, unique: false } satisfies Field
  const { Input } = typeOf(field)
  return (
    <Dialog title={t('triggers.tryNamed', { name: trigger.name })} description={t('triggers.tryText')} width={680} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('close')}</button><button type="submit" className="btn primary" disabled={busy || !record}>{t('triggers.tryDo')}</button></>}>
      {message && <div className="note bad mb-4" role="alert">{message}</div>}
      <Labelled label={entity?.label ?? t('rules.entity')} required className="mb-4">{(p) => <Input id={p.id} field={field} value={record} record={{}} onChange={(v) => setRecord(v ? String(v) : null)} />}</Labelled>
      {told && (
        <div className="flex flex-col gap-4" aria-live="polite">
          <div><Chip option={{ id: 'met', label: t(told.conditions_met ? 'triggers.wouldRun' : 'triggers.wouldNot'), color: told.conditions_met ? 'green' : 'gray' }} /></div>
          {told.condition_result && <section aria-labelledby="try-why"><h3 id="try-why" className="field-label m-0">{t('triggers.condition')}</h3><Verdicts of={told.condition_result} entity={entity} /></section>}
          <section aria-labelledby="try-deeds"><h3 id="try-deeds" className="field-label m-0">{t('triggers.would')}</h3><Deeds of={told.actions} /></section>
        </div>
      )}
    </Dialog>
  )
}
