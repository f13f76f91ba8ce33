import { Download, Pencil, Trash2, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatNumber, useLocale } from '@/lib/format'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { editable, visibleFields } from '@/meta/hooks'
import type { Condition, Entity, Field, Row } from '@/meta/types'
import { Confirm, Dialog, Labelled, Menu } from '@/ui/basics'
import type { Selection } from './grid'

interface Props { entity: Entity; selection: Selection; total: number; filter: Condition | undefined; q: string | undefined; known: () => Row[]; onClear: () => void; onAll: () => void }

export default function BulkBar({ entity, selection, total, filter, q, known, onClear, onAll }: Props) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [dialog, setDialog] = useState<'edit' | 'delete' | null>(null)
  const n = selection.all ? total : selection.ids.size
  // A quick search cannot be said as a filter: then the rows must be picked one by one.
  const byFilter = selection.all
  const target = byFilter ? { filter: filter ?? { operator: 'AND', rules: [] } } : { ids: [...selection.ids] }

  const run = async (body: Record<string, unknown>, label: (n: number) => string, back?: () => Promise<void>) => {
    const answer = await records.bulk(entity.name, { ...target, ...body })
    let failed = answer.failed ?? []
    let count = answer.done ?? n - failed.length
    if (answer.job) {
      const id = toast.loading(t('bulk.running', { done: 0, total: n }))
      const job = await records.followJob(answer.job, (j) => toast.loading(t('bulk.running', { done: j.done, total: j.total || n }), { id }))
      toast.dismiss(id)
      if (records.jobFailed(job)) throw new Error(job.error ?? t('error.broken'))
      count = job.done; failed = []
    }
    records.refresh(entity.name)
    if (failed.length) toast.error(t('bulk.failed', { count: failed.length, message: failed[0]!.message }), { duration: 10_000 })
    if (count > 0) done(label(count), back)
    onClear()
  }
  const attempt = (f: Promise<void>) => void f.catch((e) => toast.error(messageOf(e)))
  const erase = () => {
    const ids = byFilter ? null : [...selection.ids]
    attempt(run({ action: 'delete' }, (count) => t('bulk.deleted', { count }), ids ? async () => { await records.bulk(entity.name, { action: 'restore', ids }); records.refresh(entity.name) } : undefined))
  }
  const change = async (field: Field, value: unknown) => {
    // The way back: what each row had, where the rows are known.
    const before = byFilter ? [] : known().filter((r) => selection.ids.has(r.id))
    const groups = new Map<string, { value: unknown; ids: string[] }>()
    for (const r of before) {
      const was = r[field.name] ?? null
      const g = groups.get(JSON.stringify(was)) ?? { value: was, ids: [] }
      g.ids.push(r.id); groups.set(JSON.stringify(was), g)
    }
    const whole = !byFilter && before.length === selection.ids.size
    await run({ action: 'update', changes: { [field.name]: value } }, (count) => t('bulk.updated', { count, field: field.label }), whole ? async () => {
      for (const g of groups.values()) await records.bulk(entity.name, { action: 'update', ids: g.ids, changes: { [field.name]: g.value } })
      records.refresh(entity.name)
    } : undefined)
  }
  const moves = [...new Map((entity.states?.moves ?? []).map((m) => [m.action, m])).values()]
  const exportFilter: Condition | undefined = byFilter ? filter : { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: [...selection.ids] }] }
  const exportParams = { ...(exportFilter ? { filter: exportFilter } : {}), ...(byFilter && q ? { q } : {}) }
  return (
    <>
      <div role="region" aria-label={t('bulk.title')} className="pop absolute start-1/2 -translate-x-1/2 rtl:translate-x-1/2 bottom-12 flex items-center gap-1 max-w-[calc(100%-16px)] flex-wrap justify-center" style={{ zIndex: 30 }}>
        <span className="px-2 font-medium num" role="status">{t('bulk.selected', { count: n, n: formatNumber(n, locale) })}</span>
        {!selection.all && n < total && !q && <button type="button" className="btn ghost sm" onClick={onAll}>{t('bulk.all', { n: formatNumber(total, locale) })}</button>}
        <span className="w-px h-5 bg-line" />
        {entity.can.update && !(byFilter && q) && <button type="button" className="btn ghost sm" onClick={() => setDialog('edit')}><Pencil size={13} />{t('bulk.edit')}</button>}
        {moves.length > 0 && entity.can.update && !(byFilter && q) && <Menu trigger={<button type="button" className="btn ghost sm">{t('bulk.move')}</button>} items={moves.map((m) => ({ label: m.label, onSelect: () => attempt(run({ action: m.action }, (count) => t('bulk.moved', { count, action: m.label }))) }))} />}
        {entity.can.export && <Menu trigger={<button type="button" className="btn ghost sm"><Download size={13} />{t('export')}</button>} items={['csv', 'xlsx', 'json'].map((f) => ({ label: f.toUpperCase(), href: records.exportUrl(entity.name, f, exportParams) }))} />}
        {entity.can.delete && !(byFilter && q) && <button type="button" className="btn ghost sm text-bad" onClick={() => (byFilter || n > 20 ? setDialog('delete') : erase())}><Trash2 size={13} />{t('delete')}</button>}
        <button type="button" className="btn ghost icon sm" aria-label={t('bulk.clear')} onClick={onClear}><X size={14} /></button>
      </div>
      {dialog === 'edit' && <BulkEdit entity={entity} count={n} onClose={() => setDialog(null)} onApply={change} />}
      {dialog === 'delete' && <Confirm title={t('bulk.deleteTitle', { count: n, n: formatNumber(n, locale) })} text={t('bulk.deleteText')} action={t('delete')} danger onClose={() => setDialog(null)} onConfirm={erase} />}
    </>
  )
}

function BulkEdit({ entity, count, onClose, onApply }: { entity: Entity; count: number; onClose: () => void; onApply: (f: Field, v: unknown) => Promise<void> }) {
  const { t } = useTranslation()
  const fields = visibleFields(entity).filter((f) => editable(f) && f.name !== entity.states?.field && f.type !== 'file' && !f.unique)
  const [name, setName] = useState(fields[0]?.name ?? '')
  const [value, setValue] = useState<unknown>(null)
  const field = fields.find((f) => f.name === name)
  const { submit, busy, errors, message } = useSubmit(async () => { if (field) { await onApply(field, field.type === 'boolean' ? value === true : value); onClose() } })
  const Input = field ? typeOf(field).Input : null
  return (
    <Dialog title={t('bulk.editTitle', { count })} width={440} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy}>{t('apply')}</button></>}>
      <Labelled label={t('bulk.field')} className="mb-4">{(p) => <select {...p} className="input" value={name} onChange={(e) => { setName(e.target.value); setValue(null) }}>{fields.map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}</select>}</Labelled>
      {field && Input && <Labelled label={t('bulk.value')} error={errors[field.name] ?? (message || undefined)}>{(p) => <Input key={name} field={{ ...field, required: false }} value={value} record={{}} onChange={setValue} id={p.id} invalid={p['aria-invalid']} describedBy={p['aria-describedby']} />}</Labelled>}
    </Dialog>
  )
}
