import { useQuery } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post, put } from '@/api/http'
import { usePeople } from '@/api/people'
import { typeOf } from '@/fields/registry'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { actionsOf } from './actions'
import { useEntity, useMeta, visibleFields } from '@/meta/hooks'
import { Dialog, Labelled } from '@/ui/basics'
import { ConditionTree } from '@/views/filter-tree'
import { wire, type Level, type Rule } from './approval-rules'
import { rolesQuery } from '@/api/roles'

const EMPTY: Level = { people: [], roles: [], manager: false, quorum: 1, due_hours: 48 }
const NEW: Rule = { id: '', name: '', entity: '', action: '', condition: null, levels: [EMPTY], position: 0, is_active: true, on_reject: null, on_return: null }

export function RuleDialog({ rule, onClose, onDone }: { rule: Rule | null; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const [r, setR] = useState<Rule>(rule ?? NEW)
  const { data: entity } = useEntity(r.entity || undefined)
  const change = (part: Partial<Rule>) => setR((old) => ({ ...old, ...part }))
  const level = (i: number, part: Partial<Level>) => change({ levels: r.levels.map((l, j) => (j === i ? { ...l, ...part } : l)) })
  const { submit, busy, errors, message } = useSubmit(async () => {
    const body = { ...wire(r), name: r.name.trim(), condition: r.condition?.rules.length ? r.condition : null }
    await (rule ? put(`/approval-rules/${rule.id}`, body) : post('/approval-rules', body))
    done(rule ? t('saved') : t('created', { name: r.name })); onDone(); onClose()
  })
  const actions = actionsOf(entity)
  const entities = Object.values(meta?.entities ?? {}).filter((e) => !e.part_of && e.module !== 'iam')
  const fields = entity ? visibleFields(entity).filter((f) => f.filterable !== false && typeOf(f).operators.length > 0) : []
  const pick = (key: 'action' | 'on_reject' | 'on_return', required: boolean) => (
    <Labelled label={t(`rules.${key}`)} required={required} error={errors[key]} help={key === 'action' ? null : t('rules.afterHelp')}>{(p) => (
      <select {...p} className="input" disabled={!entity} value={r[key] ?? ''} onChange={(e) => change({ [key]: e.target.value || null })}>
        <option value="">{required ? t('choose') : t('rules.nothing')}</option>{actions.map((a) => <option key={a.name} value={a.name}>{a.label}</option>)}
      </select>)}</Labelled>
  )
  const placed = ['name', 'entity', 'action', 'on_reject', 'on_return'].some((k) => errors[k])
  return (
    <Dialog title={rule ? t('editNamed', { name: rule.name }) : t('rules.new')} width={720} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !r.name.trim() || !r.action}>{t('save')}</button></>}>
      {message && !placed && <div className="note bad mb-4" role="alert">{message}</div>}
      <Labelled label={t('name')} required error={errors.name} className="mb-4">{(p) => <input {...p} className="input" autoFocus maxLength={100} value={r.name} onChange={(e) => change({ name: e.target.value })} />}</Labelled>
      <div className="grid sm:grid-cols-2 gap-4 mb-4">
        <Labelled label={t('rules.entity')} required error={errors.entity}>{(p) => <select {...p} className="input" value={r.entity} onChange={(e) => change({ entity: e.target.value, action: '', condition: null, on_reject: null, on_return: null })}><option value="">{t('choose')}</option>{entities.map((e) => <option key={e.name} value={e.name}>{e.plural || e.label}</option>)}</select>}</Labelled>
        {pick('action', true)}
      </div>
      {entity && fields.length > 0 && (
        <fieldset className="border-0 p-0 m-0 mb-5">
          <legend className="field-label">{t('rules.when')}</legend>
          {!r.condition?.rules.length && <div className="text-muted mb-1">{t('rules.always')}</div>}
          <ConditionTree entity={entity} fields={fields} value={r.condition ?? { operator: 'AND', rules: [] }} onChange={(condition) => change({ condition })} />
        </fieldset>
      )}
      {r.levels.map((l, i) => <LevelCard key={i} n={i + 1} level={l} only={r.levels.length === 1} onChange={(part) => level(i, part)} onRemove={() => change({ levels: r.levels.filter((_, j) => j !== i) })} />)}
      {r.levels.length < 10 && <button type="button" className="btn mb-5" onClick={() => change({ levels: [...r.levels, EMPTY] })}><Plus size={14} />{t('rules.addLevel')}</button>}
      <div className="grid sm:grid-cols-2 gap-4">{pick('on_reject', false)}{pick('on_return', false)}</div>
    </Dialog>
  )
}

function LevelCard({ n, level: l, only, onChange, onRemove }: { n: number; level: Level; only: boolean; onChange: (part: Partial<Level>) => void; onRemove: () => void }) {
  const { t } = useTranslation()
  const people = usePeople()
  const { data: roles } = useQuery({ ...rolesQuery, retry: false })
  const name = t('approvals.level', { n })
  const every = (roles ?? []).map((x) => ({ id: x.name, label: x.label || x.name }))
  const colleagues = people.map((p) => ({ id: p.id, label: p.name }))
  const late = l.escalate ?? { people: [], roles: [] }
  const escalate = (to: { people: string[]; roles: string[] }) => onChange({ escalate: to.people.length || to.roles.length ? to : null })
  const number = (text: string): number | null => (/^\d{1,4}$/.test(text) ? Number(text) : null)
  return (
    <fieldset className="border border-line rounded-lg p-4 pt-2 m-0 mb-3">
      <legend className="px-1 font-semibold">{name}</legend>
      <div className="flex items-end gap-3 mb-3">
        <Labelled label={t('rules.levelName')} className="flex-1">{(p) => <input {...p} className="input" maxLength={100} value={l.name ?? ''} onChange={(e) => onChange({ name: e.target.value })} />}</Labelled>
        {!only && <button type="button" className="btn ghost icon text-muted" aria-label={t('removeNamed', { name })} onClick={onRemove}><Trash2 size={15} /></button>}
      </div>
      <div className="grid sm:grid-cols-2 gap-3 mb-3">
        <Several label={t('rules.roles')} all={every} chosen={l.roles} onChange={(x) => onChange({ roles: x })} />
        <Several label={t('rules.people')} all={colleagues} chosen={l.people} onChange={(x) => onChange({ people: x })} />
      </div>
      <label className="flex items-center gap-2 min-h-8 mb-2"><input type="checkbox" checked={l.manager} onChange={(e) => onChange({ manager: e.target.checked })} />{t('rules.manager')}</label>
      <div className="grid sm:grid-cols-2 gap-3">
        <Labelled label={t('rules.quorum')}>{(p) => <select {...p} className="input" value={l.quorum ?? ''} onChange={(e) => onChange({ quorum: number(e.target.value) })}><option value="">{t('rules.all')}</option>{[1, 2, 3, 4, 5].map((x) => <option key={x} value={x}>{t('rules.some', { count: x })}</option>)}</select>}</Labelled>
        <Labelled label={t('rules.due')} help={t('rules.dueHelp')}>{(p) => <input {...p} className="input" inputMode="numeric" value={l.due_hours ?? ''} onChange={(e) => onChange({ due_hours: number(e.target.value) })} />}</Labelled>
      </div>
      {l.due_hours ? (
        <div className="grid sm:grid-cols-2 gap-3 mt-3">
          <Several label={t('rules.escalate')} all={every} chosen={late.roles} onChange={(roles) => escalate({ ...late, roles })} />
          <Several label={t('rules.escalatePeople')} all={colleagues} chosen={late.people} onChange={(people) => escalate({ ...late, people })} />
        </div>
      ) : null}
    </fieldset>
  )
}

/** Some of many: those chosen as words that go again, the others in a list. */
export function Several({ label, all, chosen, error, onChange }: { label: string; all: { id: string; label: string }[]; chosen: string[]; error?: string | undefined; onChange: (ids: string[]) => void }) {
  const { t } = useTranslation()
  const nameOf = (id: string) => all.find((x) => x.id === id)?.label ?? id
  return (
    <div>
      <Labelled label={label} error={error}>{(p) => <select {...p} className="input" value="" onChange={(e) => { if (e.target.value) onChange([...chosen, e.target.value]) }}><option value="">{t('rules.add')}</option>{all.filter((x) => !chosen.includes(x.id)).map((x) => <option key={x.id} value={x.id}>{x.label}</option>)}</select>}</Labelled>
      {chosen.length > 0 && <ul className="list-none m-0 mt-1.5 p-0 flex flex-wrap gap-1">{chosen.map((id) => <li key={id}><button type="button" className="chip plain blue border-0 max-md:!h-9" aria-label={t('removeNamed', { name: nameOf(id) })} onClick={() => onChange(chosen.filter((x) => x !== id))}>{nameOf(id)} ×</button></li>)}</ul>}
    </div>
  )
}
