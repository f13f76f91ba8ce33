import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, post } from '@/api/http'
import { typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { expandKey, fieldOf, useEntity, useMenu, useMeta, visibleFields } from '@/meta/hooks'
import { isRule, type Condition, type Entity, type Field, type Row } from '@/meta/types'
import { pointingAt } from '@/record/related'
import { Labelled } from '@/ui/basics'
import { ConditionTree, firstRule } from '@/views/filter-tree'
import { sendable } from '@/views/state'

export type Settings = Record<string, unknown>
interface Props { entity: string; name: string; type: string; value: Settings; fixed: boolean; errors: Record<string, string | undefined>; onChange: (v: Settings) => void }

const said = (v: unknown) => (typeof v === 'string' ? v : '')

/** What a relation and the computed fields ask for. */
export default function Linked(p: Props) {
  if (p.type === 'relation') return <Relation {...p} />
  if (p.type === 'lookup') return <Lookup {...p} />
  if (p.type === 'rollup' || p.type === 'count') return <Rollup {...p} />
  return p.type === 'formula' ? <Formula {...p} /> : null
}

function Relation({ value, fixed, errors, onChange }: Props) {
  const { t } = useTranslation()
  const menu = useMenu()
  return (
    <div className="grid grid-cols-2 gap-4">
      <Labelled label={t('linked.to')} required error={errors['settings.entity']}>{(p) => <select {...p} className="input" disabled={fixed} value={said(value.entity)} onChange={(e) => onChange({ ...value, entity: e.target.value })}><option value="">—</option>{menu.map((m) => <optgroup key={m.name} label={m.title}>{m.entities.map((e) => <option key={e.name} value={e.name}>{e.plural}</option>)}</optgroup>)}</select>}</Labelled>
      <Labelled label={t('linked.gone')}>{(p) => <select {...p} className="input" value={said(value.on_delete) || 'keep'} onChange={(e) => onChange({ ...value, on_delete: e.target.value })}>{['keep', 'clear', 'restrict'].map((x) => <option key={x} value={x}>{t(`linked.gone_${x}`)}</option>)}</select>}</Labelled>
    </div>
  )
}

/** A way that begins with a relation. */
const relations = () => false

/** A way over relations, chosen step by step. */
function Path({ entity, value, depth, label, only, onChange }: { entity: string; value: string; depth: number; label: string; only?: ((f: Field) => boolean) | undefined; onChange: (path: string) => void }) {
  const { t } = useTranslation()
  const { data } = useEntity(entity)
  const fields = data ? visibleFields(data).filter((f) => f.filterable || f.ref) : []
  const link = fields.find((f) => f.ref && (value === f.name || value === expandKey(f) || value.startsWith(`${expandKey(f)}.`) || value.startsWith(`${f.name}.`)))
  const chosen = link ?? fields.find((f) => f.name === value)
  const rest = link ? value.slice((value.startsWith(`${expandKey(link)}.`) ? expandKey(link) : link.name).length + 1) : ''
  const shown = only ? fields.filter((f) => (f.ref && f.type === 'relation') || only(f)) : fields
  return (
    <>
      <select className="input" aria-label={label} value={chosen?.name ?? ''} onChange={(e) => onChange(e.target.value)}><option value="">{depth ? t('linked.name') : ''}</option>{shown.map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}</select>
      {link?.ref && link.type === 'relation' && depth < 3 && <Path entity={link.ref.entity} value={rest} depth={depth + 1} only={only === relations ? undefined : only} label={t('linked.of', { name: link.label })} onChange={(p) => onChange(p ? `${expandKey(link)}.${p}` : link.name)} />}
    </>
  )
}

function Lookup({ entity, value, errors, onChange }: Props) {
  const { t } = useTranslation()
  const wrong = errors['settings.path'] ?? errors.settings
  return (
    <fieldset className="border-0 p-0 m-0"><legend className="field-label">{t('linked.path')}</legend>
      <div className="flex flex-col gap-2"><Path entity={entity} value={said(value.path)} depth={0} label={t('linked.path')} only={relations} onChange={(path) => onChange({ path })} /></div>
      {wrong && <div className="field-error" role="alert">{wrong}</div>}
    </fieldset>
  )
}

const NUMBERS = ['number', 'integer', 'money', 'percent', 'quantity', 'rating', 'duration']
const TEXTS = ['text', 'select', 'email', 'phone', 'barcode']
const fits: Record<string, (f: Field) => boolean> = {
  sum: (f) => NUMBERS.includes(f.type), avg: (f) => NUMBERS.includes(f.type),
  min: (f) => [...NUMBERS, 'date', 'datetime'].includes(f.type), max: (f) => [...NUMBERS, 'date', 'datetime'].includes(f.type),
  count_distinct: () => true, concat: (f) => TEXTS.includes(f.type),
}

function Rollup({ entity, type, value, errors, onChange }: Props) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const { data: own } = useEntity(entity)
  const { data: found } = useQuery({ queryKey: ['pointing', entity], enabled: !!meta, staleTime: Infinity, queryFn: () => pointingAt(entity, Object.keys(meta!.entities).filter((n) => !meta!.entities[n]!.part_of)) })
  const { data: named } = useQuery({ queryKey: ['pointing', entity, 'fields', found], enabled: !!found, queryFn: () => labels(found!) })
  const rows = [...(own?.lines ?? []).map((l) => ({ of: l.name, entity: l.entity, label: l.label ?? l.name })), ...(named ?? [])]
  const of = rows.find((r) => r.of === value.of)
  const { data: target } = useEntity(of?.entity)
  const filter = value.filter as Condition | undefined
  const how = said(value.function) || 'sum'
  const fields = target ? visibleFields(target).filter((f) => f.filterable) : []
  const begin = (): Condition => ({ operator: 'AND', rules: fields[0] ? [firstRule(fields[0])] : [] })
  return (
    <div className="grid grid-cols-2 gap-4">
      <Labelled label={t('linked.rows')} required error={errors['settings.of']} className={type === 'count' ? 'col-span-2' : ''}>{(p) => <select {...p} className="input" value={said(value.of)} onChange={(e) => onChange({ of: e.target.value, ...(type === 'rollup' ? { function: how } : {}) })}><option value="">—</option>{rows.map((r) => <option key={r.of} value={r.of}>{r.label}</option>)}</select>}</Labelled>
      {type === 'rollup' && <>
        <Labelled label={t('linked.figure')} error={errors['settings.function']}>{(p) => <select {...p} className="input" value={how} onChange={(e) => onChange({ ...value, function: e.target.value, field: '' })}>{Object.keys(fits).map((x) => <option key={x} value={x}>{t(`linked.figure_${x}`)}</option>)}</select>}</Labelled>
        {of && <fieldset className="border-0 p-0 m-0 col-span-2"><legend className="field-label">{t('linked.field')}</legend><div className="flex flex-col gap-2"><Path entity={of.entity} value={said(value.field)} depth={0} only={fits[how]} label={t('linked.field')} onChange={(field) => onChange({ ...value, field, function: how })} /></div>{errors['settings.field'] && <div className="field-error" role="alert">{errors['settings.field']}</div>}</fieldset>}
      </>}
      {target && <div className="col-span-2">
        <Labelled label={t('linked.which')} error={errors['settings.filter']}>{(p) => <select {...p} className="input" value={filter ? 'when' : 'all'} onChange={(e) => onChange(e.target.value === 'when' ? { ...value, filter: begin() } : without(value))}><option value="all">{t('linked.all')}</option><option value="when">{t('linked.some')}</option></select>}</Labelled>
        {filter && <div className="mt-2"><ConditionTree entity={target} fields={fields} value={isRule(filter) ? { operator: 'AND', rules: [filter] } : filter} onChange={(c) => onChange({ ...value, filter: c })} /></div>}
      </div>}
    </div>
  )
}
const without = (v: Settings): Settings => Object.fromEntries(Object.entries(v).filter(([k]) => k !== 'filter'))

/** Which records point here, and by which field. */
async function labels(found: Awaited<ReturnType<typeof pointingAt>>): Promise<{ of: string; entity: string; label: string }[]> {
  const twice = (r: { entity: string }) => found.filter((x) => x.entity === r.entity).length > 1
  return found.map((r) => ({ of: `${r.entity}.${r.field}`, entity: r.entity, label: twice(r) ? `${r.label} · ${r.by ?? r.field}` : (r.label ?? r.entity) }))
}

interface Trial { result: string; data: Row[] }

function Formula({ entity, name, type, value, errors, onChange }: Props) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data: own } = useEntity(entity)
  const box = useRef<HTMLTextAreaElement>(null)
  const expression = said(value.expression)
  const asked = useLater(expression)
  const { data: trial, error } = useQuery({
    queryKey: ['fields', 'try', entity, asked, value.format], enabled: !!asked.trim(), retry: false,
    queryFn: () => post<Trial>('/fields/_try', { entity, name: name || 'new', type, settings: { ...value, expression: asked } }),
  })
  const insert = (path: string) => {
    const at = box.current?.selectionStart ?? expression.length
    onChange({ ...value, expression: expression.slice(0, at) + path + expression.slice(box.current?.selectionEnd ?? at) })
    box.current?.focus()
  }
  const result = trial && ({ name: 'result', label: '', type: trial.result, required: false, readonly: true, access: 'read', filterable: true, sortable: true, custom: true, unique: false } satisfies Field)
  const wrong = errors['settings.expression'] ?? (error ? messageOf(error) : undefined)
  return (
    <div className="flex flex-col gap-3">
      <Labelled label={t('linked.expression')} required help={t('linked.expressionHelp')} error={wrong}>{(p) => <textarea {...p} ref={box} className="input font-mono" rows={3} spellCheck={false} value={expression} onChange={(e) => onChange({ ...value, expression: e.target.value })} />}</Labelled>
      <div className="grid grid-cols-2 gap-4">
        <select className="input" aria-label={t('linked.insert')} value="" onChange={(e) => insert(e.target.value)}><option value="">{t('linked.insert')}</option>{own && <Insertable entity={own} name={name} />}</select>
        <select className="input" aria-label={t('linked.format')} value={said(value.format)} onChange={(e) => onChange({ ...value, format: e.target.value })}>{['', 'money', 'percent'].map((x) => <option key={x} value={x}>{t(`linked.format_${x || 'plain'}`)}</option>)}</select>
      </div>
      {result && !wrong && <div className="text-muted text-xs" aria-live="polite">{t('linked.result', { type: t(`type.${trial.result}`) })}{trial.data.map((r) => <div key={r.id}>{String(r[own?.title_field ?? ''] ?? r.id.slice(0, 8))}: <b>{typeOf(result).format(r.result, result, locale) || '—'}</b></div>)}</div>}
    </div>
  )
}

function Insertable({ entity, name }: { entity: Entity; name: string }) {
  return visibleFields(entity).filter((f) => f.filterable && f.name !== `cf.${name}`).map((f) => <option key={f.name} value={f.ref && f.type === 'relation' ? `${expandKey(f)}.${f.ref.title_field ?? 'name'}` : f.name}>{fieldOf(entity, f.name)?.label}</option>)
}

/** What was typed, a moment after the last key. */
function useLater(value: string): string {
  const [later, set] = useState(value)
  useEffect(() => { const timer = setTimeout(() => set(value), 300); return () => clearTimeout(timer) }, [value])
  return later
}

/** As it is sent: a condition that is not whole yet asks nothing. */
export const sent = (v: Settings): Settings => (v.filter ? { ...v, filter: sendable(v.filter as Condition) } : v)
