import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Pencil, Plus, Trash2, X } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { del, get, messageOf, patch, post } from '@/api/http'
import { queryClient } from '@/api/session'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { useEntity, useMenu } from '@/meta/hooks'
import { isRule, type Condition, type Option, type Rule } from '@/meta/types'
import { Chip, Confirm, Dialog, Empty, Failure, Labelled, Skeleton } from '@/ui/basics'
import { ConditionTree, firstRule } from '@/views/filter-tree'
import { sendable } from '@/views/state'
import { SETTINGS } from './field-settings'
import type { Settings } from './field-settings/linked'
import { Section } from './layout'

interface CustomField { id: string; entity: string; name: string; label: string; type: string; required: boolean; options?: Option[] | null; settings?: Settings; visible_when?: Condition | Rule | null; required_when?: Condition | Rule | null }
const TYPES: Record<string, string[]> = {
  text: ['text', 'textarea', 'richtext', 'markdown', 'email', 'phone', 'url', 'barcode', 'qrcode'],
  numbers: ['number', 'integer', 'money', 'percent', 'rating', 'progress', 'autonumber'],
  choices: ['select', 'radio', 'status', 'priority', 'label', 'badge', 'multiselect', 'tags', 'boolean', 'checkbox', 'toggle'],
  time: ['date', 'datetime', 'time', 'daterange', 'duration', 'recurrence', 'timezone'],
  people: ['user', 'users', 'location', 'address', 'country'],
  files: ['file', 'image', 'avatar', 'signature'],
  linked: ['relation', 'lookup', 'rollup', 'count', 'formula', 'createdby', 'modifiedby'],
  rest: ['color', 'icon', 'button'],
}
const CHOICES = new Set(['select', 'radio', 'status', 'priority', 'label', 'badge', 'multiselect'])
const COMPUTED = new Set(['lookup', 'rollup', 'count', 'formula', 'createdby', 'modifiedby'])
/** Of these nobody fills in anything. */
const GIVEN = new Set(['autonumber', 'button', ...COMPUTED])
const Linked = lazy(() => import('./field-settings/linked'))
export const COLORS = ['gray', 'blue', 'violet', 'amber', 'green', 'red', 'cyan', 'pink']

export function CustomFields() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const menu = useMenu()
  const { entity: asked } = useSearch({ from: '/house/settings/fields' })
  const entity = asked ?? menu[0]?.entities[0]?.name ?? ''
  return (
    <Section title={t('settings.fields')} text={t('fields.text')}>
      <FieldList entity={entity}>
        <Labelled label={t('roles.entity')} className="max-w-[320px]">{(p) => <select {...p} className="input" value={entity} onChange={(e) => void navigate({ to: '/settings/fields', search: { entity: e.target.value } })}>{menu.map((m) => <optgroup key={m.name} label={m.title}>{m.entities.map((e) => <option key={e.name} value={e.name}>{e.plural}</option>)}</optgroup>)}</select>}</Labelled>
      </FieldList>
    </Section>
  )
}

/** The fields of one's own that an entity has, and the ways to make, change and take them away. */
export function FieldList({ entity, children }: { entity: string; children: React.ReactNode }) {
  const { t } = useTranslation()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['fields', entity], enabled: !!entity, queryFn: () => get<{ data: CustomField[] }>('/fields', { entity }).then((r) => r.data) })
  const [editing, setEditing] = useState<CustomField | 'new' | null>(null)
  const [dropping, setDropping] = useState<CustomField | null>(null)
  const renew = async () => { await refetch(); await Promise.all(['meta', 'pointing'].map((kind) => queryClient.invalidateQueries({ queryKey: [kind] }))) }
  return (
    <>
      <div className="flex items-end gap-3 mb-4"><div className="flex-1 min-w-0">{children}</div><button type="button" className="btn primary" disabled={!entity} onClick={() => setEditing('new')}><Plus size={15} />{t('fields.new')}</button></div>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : data.length === 0 ? <Empty title={t('fields.none')} text={t('fields.noneText')} /> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('settings.fields')}><table className="data">
          <thead><tr><th scope="col">{t('name')}</th><th scope="col">{t('fields.key')}</th><th scope="col">{t('fields.type')}</th><th scope="col">{t('fields.required')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
          <tbody>{data.map((f) => (
            <tr key={f.id}><td className="font-medium">{f.label}</td><td><code>{f.name}</code></td><td>{t(`type.${f.type}`, f.type)}{f.options?.length ? <span className="inline-flex gap-1 ms-2">{f.options.slice(0, 3).map((o) => <Chip key={o.id} option={o} />)}</span> : null}</td><td>{f.required_when ? t('fields.sometimes') : f.required ? t('yes') : t('no')}{f.visible_when && <span className="text-muted ms-2">{t('fields.shownSometimes')}</span>}</td>
              <td className="end whitespace-nowrap"><button type="button" className="btn ghost icon sm" aria-label={t('editNamed', { name: f.label })} onClick={() => setEditing(f)}><Pencil size={14} /></button><button type="button" className="btn ghost icon sm" aria-label={t('removeNamed', { name: f.label })} onClick={() => setDropping(f)}><Trash2 size={14} /></button></td></tr>
          ))}</tbody>
        </table></div>
      )}
      {editing && <FieldDialog entity={entity} field={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onDone={async () => { setEditing(null); await renew() }} />}
      {dropping && <Confirm title={t('fields.deleteTitle', { name: dropping.label })} text={t('fields.deleteText')} action={t('delete')} danger onClose={() => setDropping(null)} onConfirm={() => void del(`/fields/${dropping.id}`).then(async () => { await renew(); done(t('deleted', { name: dropping.label })) }).catch((e) => toast.error(messageOf(e)))} />}
    </>
  )
}

/** A name for programs out of one for people; nothing where that is written in other letters. */
export const keyOf = (label: string) => label.trim().toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').replace(/^(\d)/, 'f_$1')

const grouped = (c: Condition | Rule | null | undefined): Condition | null => (c ? (isRule(c) ? { operator: 'AND', rules: [c] } : c) : null)

function FieldDialog({ entity, field, onClose, onDone }: { entity: string; field: CustomField | null; onClose: () => void; onDone: () => Promise<void> }) {
  const { t } = useTranslation()
  const [v, setV] = useState({ label: field?.label ?? '', name: field?.name ?? '', type: field?.type ?? 'text', required: field?.required ?? false })
  const [options, setOptions] = useState<Option[]>(field?.options ?? [])
  const [settings, setSettings] = useState<Settings>(field?.settings ?? {})
  const computed = COMPUTED.has(v.type)
  const [stars, setStars] = useState('5')
  const Asked = SETTINGS[v.type]
  const [named, setNamed] = useState(!!field)
  const { data: meta } = useEntity(entity)
  const [shown, setShown] = useState(() => grouped(field?.visible_when))
  const [wanted, setWanted] = useState(() => grouped(field?.required_when))
  const others = meta?.fields.filter((f) => f.filterable && !f.computed && f.name !== `cf.${v.name}`) ?? []
  const first = (): Condition => ({ operator: 'AND', rules: others[0] ? [firstRule(others[0])] : [] })
  const tree = (c: Condition, set: (c: Condition) => void) => meta && <ConditionTree entity={meta} fields={others} value={c} onChange={set} />
  const choices = CHOICES.has(v.type)
  const given = GIVEN.has(v.type)
  const { submit, busy, errors, message } = useSubmit(async () => {
    const opts = v.type === 'rating' && !field ? { options: [{ id: stars, label: stars, color: 'gray' }] } : choices ? { options: options.filter((o) => o.label.trim()).map((o) => ({ ...o, id: o.id || keyOf(o.label) || o.label })) } : {}
    const linked = TYPES.linked!.includes(v.type)
    const more = linked ? { settings: (await import('./field-settings/linked')).sent(settings) } : Asked ? { settings } : {}
    const when = { visible_when: shown && sendable(shown), required_when: wanted && sendable(wanted) }
    if (field) await patch(`/fields/${field.id}`, { label: v.label, required: v.required, ...opts, ...more, ...when })
    else await post('/fields', { entity, ...v, ...opts, ...more, ...when })
    await onDone()
    done(t('saved'))
  })
  return (
    <Dialog title={field ? field.label : t('fields.new')} width={520} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !v.label.trim() || !v.name}>{field ? t('save') : t('create')}</button></>}>
      {message && !Object.keys(errors).length && <div className="note bad mb-3" role="alert">{message}</div>}
      <div className="grid grid-cols-2 gap-4 mb-4">
        <Labelled label={t('name')} required error={errors.label}>{(p) => <input {...p} className="input" autoFocus value={v.label} onChange={(e) => setV({ ...v, label: e.target.value, ...(named ? {} : { name: keyOf(e.target.value) }) })} />}</Labelled>
        <Labelled label={t('fields.key')} required error={errors.name} help={t('fields.keyHelp')}>{(p) => <input {...p} className="input" disabled={!!field} value={v.name} onChange={(e) => { setNamed(true); setV({ ...v, name: e.target.value }) }} />}</Labelled>
        <Labelled label={t('fields.type')} error={errors.type}>{(p) => <select {...p} className="input" disabled={!!field} value={v.type} onChange={(e) => { setV({ ...v, type: e.target.value, ...(GIVEN.has(e.target.value) ? { required: false } : {}) }); setSettings({}); if (GIVEN.has(e.target.value)) { setWanted(null); if (COMPUTED.has(e.target.value)) setShown(null) } }}>{Object.entries(TYPES).map(([group, types]) => <optgroup key={group} label={t(group === 'linked' ? 'linked.group' : `fields.group_${group}`)}>{types.map((x) => <option key={x} value={x}>{t(`type.${x}`)}</option>)}</optgroup>)}</select>}</Labelled>
        {!computed && <Labelled label={t('fields.required')} error={errors.required_when}>{(p) => <select {...p} className="input" disabled={given} value={wanted ? 'when' : v.required ? 'yes' : 'no'} onChange={(e) => { setV({ ...v, required: e.target.value === 'yes' }); setWanted(e.target.value === 'when' ? first() : null) }}><option value="no">{t('no')}</option><option value="yes">{t('yes')}</option><option value="when">{t('fields.when')}</option></select>}</Labelled>}
        {wanted && meta && <div className="col-span-2">{tree(wanted, setWanted)}</div>}
        {!computed && <Labelled label={t('fields.shown')} error={errors.visible_when} help={shown ? t('fields.shownHelp') : undefined} className="col-span-2">{(p) => <select {...p} className="input" value={shown ? 'when' : 'always'} onChange={(e) => setShown(e.target.value === 'when' ? first() : null)}><option value="always">{t('fields.always')}</option><option value="when">{t('fields.when')}</option></select>}</Labelled>}
        {shown && meta && <div className="col-span-2">{tree(shown, setShown)}</div>}
      </div>
      {TYPES.linked!.includes(v.type) && <Suspense fallback={null}><Linked entity={entity} name={v.name} type={v.type} value={settings} fixed={!!field} errors={errors} onChange={setSettings} /></Suspense>}
      {v.type === 'rating' && !field && <Labelled label={t('fields.stars')}>{(p) => <select {...p} className="input !w-[110px]" value={stars} onChange={(e) => setStars(e.target.value)}><option value="5">5</option><option value="10">10</option></select>}</Labelled>}
      {Asked && <Suspense><Asked key={v.type} value={settings} onChange={setSettings} entity={meta} made={!!field} /></Suspense>}
      {errors.settings && <div className="field-error" role="alert">{errors.settings}</div>}
      {v.type === 'priority' && <p className="text-muted mt-0">{t('fields.priorityHelp')}</p>}
      {choices && (
        <fieldset className="border-0 p-0 m-0"><legend className="field-label">{t('fields.options')}</legend>
          {options.map((o, i) => (
            <div key={i} className="flex gap-2 mb-1.5">
              <input className="input" aria-label={t('fields.option', { n: i + 1 })} value={o.label} onChange={(e) => setOptions(options.map((x, j) => (j === i ? { ...x, label: e.target.value } : x)))} />
              <select className="input !w-[110px]" aria-label={t('fields.color', { n: i + 1 })} value={o.color ?? 'gray'} onChange={(e) => setOptions(options.map((x, j) => (j === i ? { ...x, color: e.target.value } : x)))}>{COLORS.map((c) => <option key={c} value={c}>{t(`color.${c}`)}</option>)}</select>
              <button type="button" className="btn ghost icon" aria-label={t('removeNamed', { name: o.label })} onClick={() => setOptions(options.filter((_, j) => j !== i))}><X size={14} /></button>
            </div>
          ))}
          <button type="button" className="btn ghost sm" onClick={() => setOptions([...options, { id: '', label: '', color: COLORS[options.length % COLORS.length]! }])}><Plus size={14} />{t('fields.addOption')}</button>
        </fieldset>
      )}
    </Dialog>
  )
}
