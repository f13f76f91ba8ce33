import { Download, Pencil, Trash2, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { show } from '@/app/work'
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

/** So many the server changes at once; more are a job. */
const FEW = 200

interface Props { entity: Entity; selection: Selection; total: number; filter: Condition | undefined; q: string | undefined; known: () => Row[]; onClear: () => void; onAll: () => void }

export default function BulkBar({ entity, selection, total, filter, q, known, onClear, onAll }: Props) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [dialog, setDialog] = useState<'edit' | 'delete' | null>(null)
  const n = selection.all ? total : selection.ids.size
  // A quick search cannot be said as a filter: then the rows must be picked one by one.
  const byFilter = selection.all
  // A few are named one by one, so that what each of them had is known for the way back; of more the server keeps that itself.
  const targetOf = async (field?: string): Promise<{ body: Record<string, unknown>; before: Row[] }> => {
    const all = filter ?? { operator: 'AND' as const, rules: [] }
    if (byFilter) {
      if (n > FEW) return { body: { filter: all }, before: [] }
      const page = await records.list(entity.name, { filter: all, fields: ['id', field].filter(Boolean).join(','), limit: FEW, count: 'none' })
      return page.next ? { body: { filter: all }, before: [] } : { body: { ids: page.data.map((r) => r.id) }, before: page.data }
    }
    const ids = [...selection.ids]
    const before = n > FEW || !field ? [] : known().filter((r) => selection.ids.has(r.id))
    return { body: { ids }, before: before.length === ids.length ? before : [] }
  }
  const run = async (target: Record<string, unknown>, body: Record<string, unknown>, began: string, label: (n: number) => string, back?: () => Promise<void>) => {
    const answer = await records.bulk(entity.name, { ...target, ...body })
    onClear()
    if (answer.job) { show({ id: answer.job.id, entity: entity.name, text: began }, { action: String(body.action), total: answer.job.total ?? n }); return }
    records.refresh(entity.name)
    const failed = answer.failed ?? []
    const count = answer.done ?? n - failed.length
    if (failed.length) show({ entity: entity.name, text: began, done: count, failed })
    if (count > 0) done(label(count), back)
  }
  const attempt = (f: Promise<void>) => void f.catch((e) => toast.error(messageOf(e)))
  const erase = () => attempt((async () => {
    const { body } = await targetOf()
    const ids = body.ids
    await run(body, { action: 'delete' }, t('work.delete', { name: entity.plural }), (count) => t('bulk.deleted', { count }), ids ? async () => { await records.bulk(entity.name, { action: 'restore', ids }); records.refresh(entity.name) } : undefined)
  })())
  const change = async (field: Field, value: unknown) => {
    const { body, before } = await targetOf(field.name)
    const groups = new Map<string, { value: unknown; ids: string[] }>()
    for (const r of before) {
      const was = r[field.name] ?? null
      const g = groups.get(JSON.stringify(was)) ?? { value: was, ids: [] }
      g.ids.push(r.id); groups.set(JSON.stringify(was), g)
    }
    await run(body, { action: 'update', changes: { [field.name]: value } }, `${entity.plural}: ${field.label}`, (count) => t('bulk.updated', { count, field: field.label }), before.length ? async () => {
      for (const g of groups.values()) await records.bulk(entity.name, { action: 'update', ids: g.ids, changes: { [field.name]: g.value } })
      records.refresh(entity.name)
    } : undefined)
  }
  const carry = (m: { action: string; label: string }) => attempt((async () => run((await targetOf()).body, { action: m.action }, `${entity.plural}: ${m.label}`, (count) => t('bulk.moved', { count, action: m.label })))())
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
        {moves.length > 0 && entity.can.update && !(byFilter && q) && <Menu trigger={<button type="button" className="btn ghost sm">{t('bulk.move')}</button>} items={moves.map((m) => ({ label: m.label, onSelect: () => carry(m) }))} />}
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
