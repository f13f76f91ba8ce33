import { useQuery } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { post, put } from '@/api/http'
import { usePeople } from '@/api/people'
import { rolesQuery } from '@/api/roles'
import { Several } from '@/admin/rule-dialog'
import { typeOf } from '@/fields/registry'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { actionsOf } from '@/admin/actions'
import { editable, expandKey, useEntity, useMeta, visibleFields } from '@/meta/hooks'
import type { Entity } from '@/meta/types'
import { Dialog, Labelled } from '@/ui/basics'
import { ConditionTree } from '@/views/filter-tree'
import { ACTIONS, EVENTS, NEW, wire, type Action, type Trigger } from './data'
import { TextBox, useNames } from './parts'

type Errors = Record<string, string>
type Names = ReturnType<typeof useNames>

const entitiesOf = (meta: ReturnType<typeof useMeta>['data']) => Object.values(meta?.entities ?? {}).filter((e) => !e.part_of && e.module !== 'iam')

export default function Editor({ trigger, onClose, onDone }: { trigger: Trigger | null; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const [x, setX] = useState<Trigger>(trigger ?? NEW)
  const { data: entity } = useEntity(x.entity || undefined)
  const names = useNames(entity)
  const change = (part: Partial<Trigger>) => setX((old) => ({ ...old, ...part }))
  const { submit, busy, errors, message } = useSubmit(async () => {
    await (trigger ? put(`/triggers/${trigger.id}`, wire(x)) : post('/triggers', wire(x)))
    done(trigger ? t('saved') : t('created', { name: x.name })); onDone(); onClose()
  })
  const fields = entity ? visibleFields(entity).filter((f) => f.filterable !== false && typeOf(f).operators.length > 0) : []
  const watched = entity ? [...visibleFields(entity).filter((f) => editable(f) || f.name === entity.states?.field).map((f) => ({ id: f.name, label: f.label })), ...entity.lines.map((l) => ({ id: l.entity, label: l.label ?? l.name }))] : []
  const moves = [...new Map((entity?.states?.moves ?? []).filter((m) => m.action !== 'auto').map((m) => [m.action, m.label]))]
  const wrong = Object.entries(errors).find(([k]) => k.startsWith('condition'))?.[1]
  const action = (i: number, a: Action) => change({ actions: x.actions.map((b, j) => (j === i ? a : b)) })
  const swap = (i: number, j: number) => { const all = [...x.actions]; [all[i], all[j]] = [all[j]!, all[i]!]; change({ actions: all }) }
  return (
    <Dialog title={trigger ? t('editNamed', { name: trigger.name }) : t('triggers.new')} width={760} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !x.name.trim() || !x.entity}>{t('save')}</button></>}>
      {message && <div className="note bad mb-4" role="alert">{message}</div>}
      <Labelled label={t('name')} required error={errors.name} className="mb-4">{(p) => <input {...p} className="input" autoFocus maxLength={100} value={x.name} onChange={(e) => change({ name: e.target.value })} />}</Labelled>
      <div className="grid sm:grid-cols-2 gap-4 mb-4">
        <Labelled label={t('rules.entity')} required error={errors.entity}>{(p) => <select {...p} className="input" value={x.entity} onChange={(e) => change({ entity: e.target.value, fields: [], action: null, condition: null })}><option value="">{t('choose')}</option>{entitiesOf(meta).map((e) => <option key={e.name} value={e.name}>{e.plural || e.label}</option>)}</select>}</Labelled>
        <Labelled label={t('triggers.event')} required error={errors.event}>{(p) => <select {...p} className="input" value={x.event} onChange={(e) => change({ event: e.target.value })}>{EVENTS.filter((e) => e !== 'acted' || moves.length > 0 || x.event === 'acted').map((e) => <option key={e} value={e}>{t(`triggers.event_${e}`)}</option>)}</select>}</Labelled>
      </div>
      {x.event === 'field_changed' && <div className="mb-4"><Several label={t('triggers.fields')} all={watched} chosen={x.fields} error={errors.fields} onChange={(all) => change({ fields: all })} /></div>}
      {x.event === 'acted' && <Labelled label={t('triggers.move')} required error={errors.action} className="mb-4">{(p) => <select {...p} className="input" value={x.action ?? ''} onChange={(e) => change({ action: e.target.value || null })}><option value="">{t('choose')}</option>{moves.map(([name, label]) => <option key={name} value={name}>{label}</option>)}</select>}</Labelled>}
      {entity && fields.length > 0 && (
        <fieldset className="border-0 p-0 m-0 mb-5">
          <legend className="field-label">{t('rules.when')}</legend>
          {!x.condition?.rules.length && <div className="text-muted mb-1">{t('rules.always')}</div>}
          <ConditionTree entity={entity} fields={fields} value={x.condition ?? { operator: 'AND', rules: [] }} onChange={(condition) => change({ condition })} />
          {wrong && <div className="field-error" role="alert">{wrong}</div>}
        </fieldset>
      )}
      {entity && x.actions.map((a, i) => (
        <ActionCard key={i} n={i + 1} action={a} entity={entity} names={names} errors={errors} at={`actions.${i}`} onChange={(b) => action(i, b)}
          onUp={i > 0 ? () => swap(i, i - 1) : undefined} onDown={i < x.actions.length - 1 ? () => swap(i, i + 1) : undefined}
          onRemove={x.actions.length > 1 ? () => change({ actions: x.actions.filter((_, j) => j !== i) }) : undefined} />
      ))}
      {entity && x.actions.length < 20 && <button type="button" className="btn mb-5" onClick={() => change({ actions: [...x.actions, { type: 'notify' }] })}><Plus size={14} />{t('triggers.addAction')}</button>}
      {x.actions.length > 1 && <Labelled label={t('triggers.onError')} error={errors.on_error} className="mb-2">{(p) => <select {...p} className="input" value={x.on_error} onChange={(e) => change({ on_error: e.target.value as 'stop' | 'continue' })}>{(['stop', 'continue'] as const).map((o) => <option key={o} value={o}>{t(`triggers.onError_${o}`)}</option>)}</select>}</Labelled>}
      <p className="field-help m-0">{t('triggers.asYou')}</p>
    </Dialog>
  )
}

function ActionCard({ n, action: a, entity, names, errors, at, onChange, onUp, onDown, onRemove }: {
  n: number; action: Action; entity: Entity; names: Names; errors: Errors; at: string; onChange: (a: Action) => void
  onUp: (() => void) | undefined; onDown: (() => void) | undefined; onRemove: (() => void) | undefined
}) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const people = usePeople()
  const { data: roles } = useQuery({ ...rolesQuery, retry: false })
  const links = visibleFields(entity).filter((f) => f.ref && meta?.entities[f.ref.entity])
  const led = links.find((f) => expandKey(f) === a.target)?.ref?.entity
  const { data: other } = useEntity(a.type === 'create_record' ? a.entity || undefined : led)
  const of = a.type === 'create_record' || a.target ? other : entity
  const set = (part: Partial<Action>) => onChange({ ...a, ...part })
  const wrong = (key: string) => errors[`${at}.${key}`]
  const name = t('triggers.action', { n })
  const box = (key: 'to' | 'subject' | 'text', lines?: number) => <TextBox label={t(key === 'text' ? 'triggers.text_label' : `triggers.${key}`)} required names={names} {...(key === 'to' ? { only: 'email', help: t('triggers.toHelp') } : {})} {...(lines ? { lines } : {})} value={a[key] ?? ''} error={wrong(key)} onChange={(text) => set({ [key]: text })} />
  const target = <Labelled label={t('triggers.target')} error={wrong('target')} className="mb-3">{(p) => <select {...p} className="input" value={a.target ?? ''} onChange={(e) => set({ target: e.target.value || null, action: '', values: {} })}><option value="">{t('triggers.itself')}</option>{links.map((f) => <option key={f.name} value={expandKey(f)}>{f.label}</option>)}</select>}</Labelled>
  return (
    <fieldset className="border border-line rounded-lg p-4 pt-2 m-0 mb-3">
      <legend className="px-1 font-semibold">{name}</legend>
      <div className="flex items-end gap-1 mb-3">
        <Labelled label={t('triggers.do')} error={wrong('type')} className="flex-1">{(p) => <select {...p} className="input" value={a.type} onChange={(e) => onChange({ ...a, type: e.target.value })}>{ACTIONS.map((x) => <option key={x} value={x}>{t(`triggers.do_${x}`)}</option>)}</select>}</Labelled>
        {onUp && <button type="button" className="btn ghost icon text-muted" aria-label={t('triggers.up', { name })} onClick={onUp}><span aria-hidden="true">↑</span></button>}
        {onDown && <button type="button" className="btn ghost icon text-muted" aria-label={t('triggers.down', { name })} onClick={onDown}><span aria-hidden="true">↓</span></button>}
        {onRemove && <button type="button" className="btn ghost icon text-muted" aria-label={t('removeNamed', { name })} onClick={onRemove}><Trash2 size={15} /></button>}
      </div>
      {a.type === 'send_email' && <>{box('to')}{box('subject')}{box('text', 5)}</>}
      {a.type === 'comment' && box('text', 3)}
      {a.type === 'notify' && (
        <>
          <div className="grid sm:grid-cols-2 gap-3 mb-3">
            <Several label={t('rules.people')} all={people.map((p) => ({ id: p.id, label: p.name }))} chosen={a.people ?? []} error={wrong('people')} onChange={(ids) => set({ people: ids })} />
            <Several label={t('rules.roles')} all={(roles ?? []).map((r) => ({ id: r.name, label: r.label || r.name }))} chosen={a.roles ?? []} error={wrong('roles')} onChange={(ids) => set({ roles: ids })} />
          </div>
          <label className="flex items-center gap-2 min-h-8 mb-2"><input type="checkbox" checked={!!a.owner} onChange={(e) => set({ owner: e.target.checked })} />{t('triggers.owner')}</label>
          {box('text', 3)}
        </>
      )}
      {a.type === 'create_record' && <Labelled label={t('triggers.makes')} required error={wrong('entity')} className="mb-3">{(p) => <select {...p} className="input" value={a.entity ?? ''} onChange={(e) => set({ entity: e.target.value, values: {} })}><option value="">{t('choose')}</option>{entitiesOf(meta).map((e) => <option key={e.name} value={e.name}>{e.label}</option>)}</select>}</Labelled>}
      {(a.type === 'update_record' || a.type === 'take_action') && target}
      {a.type === 'take_action' && of && <Labelled label={t('triggers.move')} required error={wrong('action')}>{(p) => <select {...p} className="input" value={a.action ?? ''} onChange={(e) => set({ action: e.target.value })}><option value="">{t('choose')}</option>{actionsOf(of).map((m) => <option key={m.name} value={m.name}>{m.label}</option>)}</select>}</Labelled>}
      {(a.type === 'create_record' || a.type === 'update_record') && of && <Values of={of} names={names} values={a.values ?? {}} errors={errors} at={`${at}.values`} onChange={(values) => set({ values })} />}
    </fieldset>
  )
}

/** What the fields of a record become: a choice, or a text that may name fields of the record that started it all. */
function Values({ of, names, values, errors, at, onChange }: { of: Entity; names: Names; values: Record<string, unknown>; errors: Errors; at: string; onChange: (v: Record<string, unknown>) => void }) {
  const { t } = useTranslation()
  const fields = visibleFields(of).filter((f) => editable(f) && f.name !== of.states?.field)
  const set = (name: string, value: unknown) => onChange({ ...values, [name]: value })
  const missing = Object.entries(errors).filter(([k]) => k === at || (k.startsWith(`${at}.`) && !(k.slice(at.length + 1) in values)))
  return (
    <div>
      {Object.entries(values).map(([name, value]) => {
        const f = fields.find((x) => x.name === name)
        const label = f?.label ?? name
        const error = errors[`${at}.${name}`]
        const choices = f?.type === 'boolean' ? [{ id: 'true', label: t('yes') }, { id: 'false', label: t('no') }] : f?.type === 'select' || f?.type === 'status' ? f.options : null
        return (
          <div key={name} className="flex items-start gap-1">
            <div className="flex-1 min-w-0">{typeof value === 'object' && value !== null ? <div className="mb-3"><div className="field-label">{label}</div><code className="text-muted" style={{ overflowWrap: 'anywhere' }}>{JSON.stringify(value)}</code>{error && <div className="field-error">{error}</div>}</div> : choices?.length
              ? <Labelled label={label} error={error} className="mb-3">{(p) => <select {...p} className="input" value={String(value ?? '')} onChange={(e) => set(name, f?.type === 'boolean' ? e.target.value === 'true' : e.target.value)}>{choices.map((o) => <option key={o.id} value={o.id}>{o.label}</option>)}</select>}</Labelled>
              : <TextBox label={label} names={names} value={String(value ?? '')} error={error} onChange={(text) => set(name, text)} />}</div>
            <button type="button" className="btn ghost icon text-muted mt-5" aria-label={t('removeNamed', { name: label })} onClick={() => onChange(Object.fromEntries(Object.entries(values).filter(([k]) => k !== name)))}><Trash2 size={15} /></button>
          </div>
        )
      })}
      {missing.map(([k, text]) => <div key={k} className="field-error mb-2" role="alert">{fields.find((f) => `${at}.${f.name}` === k)?.label} {text}</div>)}
      <Labelled label={t('triggers.addValue')} hideLabel>{(p) => <select {...p} className="input !w-auto max-w-full" value="" onChange={(e) => { const f = fields.find((x) => x.name === e.target.value); if (f) set(f.name, f.type === 'boolean' ? true : f.options?.[0]?.id ?? '') }}><option value="">{t('triggers.addValue')}</option>{fields.filter((f) => !(f.name in values)).map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}</select>}</Labelled>
    </div>
  )
}
