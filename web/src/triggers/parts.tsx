import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Check, X } from 'lucide-react'
import { useId, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import { actionsOf } from '@/admin/actions'
import { typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { entityQuery, expandKey, fieldOf, useEntity, useMeta, visibleFields } from '@/meta/hooks'
import type { Entity, Field } from '@/meta/types'
import { Chip, Labelled } from '@/ui/basics'
import { COLORS, endOf, type Deed, type Verdict } from './data'

export function End({ of }: { of: { status: string; outcome: string } }) {
  const { t } = useTranslation()
  return <Chip option={{ id: endOf(of), label: t(of.outcome === 'blocked_loop' ? 'triggers.end_loop' : `triggers.end_${endOf(of)}`), color: COLORS[endOf(of)] ?? 'gray' }} />
}

/** What a text may name of a record: its fields, and those of what it points to. */
export function useNames(entity: Entity | undefined): { path: string; label: string; type: string }[] {
  const { data: meta } = useMeta()
  const fields = entity ? visibleFields(entity) : []
  const links = fields.filter((f) => f.ref && meta?.entities[f.ref.entity])
  const targets = useQueries({ queries: [...new Set(links.map((f) => f.ref!.entity))].map((name) => entityQuery(name)), combine: (all) => new Map(all.flatMap((x) => (x.data ? [[x.data.name, x.data] as const] : []))) })
  const of = (f: Field, before = '', label = '') => ({ path: before + f.name, label: label + f.label, type: f.type })
  return [...fields.map((f) => of(f)), ...links.flatMap((f) => visibleFields(targets.get(f.ref!.entity) ?? ({ fields: [] } as unknown as Entity)).filter((x) => !x.ref && !x.system).map((x) => of(x, `${expandKey(f)}.`, `${f.label} · `)))]
}

/** A text that takes names of fields, put in where one is typing. */
export function TextBox({ label, value, onChange, error, names, lines, required, only, help }: {
  label: string; value: string; onChange: (text: string) => void; error?: string | undefined; names: { path: string; label: string; type: string }[]; lines?: number; required?: boolean; only?: string; help?: string
}) {
  const { t } = useTranslation()
  const id = useId()
  const box = useRef<HTMLTextAreaElement & HTMLInputElement>(null)
  const put = (path: string) => {
    const at = box.current?.selectionStart ?? value.length
    const name = `{{${path}}}`
    onChange(value.slice(0, at) + name + value.slice(box.current?.selectionEnd ?? at))
    requestAnimationFrame(() => { box.current?.focus(); box.current?.setSelectionRange(at + name.length, at + name.length) })
  }
  const offered = only ? names.filter((n) => n.type === only) : names
  const Box = lines ? 'textarea' : 'input'
  return (
    <div className="mb-3">
      <Labelled label={label} required={!!required} error={error} help={help}>{(p) => <Box {...p} ref={box} className="input" rows={lines} value={value} onChange={(e) => onChange(e.target.value)} />}</Labelled>
      {offered.length > 0 && <><label htmlFor={id} className="visually-hidden">{t('triggers.insertInto', { name: label })}</label>
        <select id={id} className="input mt-1 !w-auto max-w-full !h-7 text-muted" value="" onChange={(e) => { if (e.target.value) put(e.target.value) }}><option value="">{t('triggers.insert')}</option>{offered.map((n) => <option key={n.path} value={n.path}>{n.label}</option>)}</select></>}
    </div>
  )
}

function Shown({ field, value }: { field: Field | undefined; value: unknown }) {
  const { t } = useTranslation()
  const locale = useLocale()
  if (value === null || value === undefined || value === '') return <span className="text-faint">{t('nothing')}</span>
  if (!field || Array.isArray(value)) return <span className="num">{Array.isArray(value) ? value.join(', ') : String(value)}</span>
  const { Cell } = typeOf(field)
  return <Cell field={field} value={field.type === 'multiselect' && !Array.isArray(value) ? [value] : value} record={{}} locale={locale} plain />
}

/** Each rule with what stood on either side, and whether it held. */
export function Verdicts({ of: v, entity }: { of: Verdict; entity: Entity | undefined }) {
  const { t } = useTranslation()
  if (v.rules) {
    return (
      <div className="ps-3" style={{ borderInlineStart: '2px solid var(--line-strong)' }}>
        {(v.rules.length > 1 || v.operator === 'NOT') && <div className="text-muted text-xs">{t(v.operator === 'OR' ? 'tree.any' : v.operator === 'NOT' ? 'triggers.not' : 'tree.all')}</div>}
        {v.rules.map((r, i) => <Verdicts key={i} of={r} entity={entity} />)}
      </div>
    )
  }
  const path = v.field ?? ''
  const field = entity && fieldOf(entity, path.replace(/^\$(old|new)\./, ''))
  return (
    <div className="flex flex-wrap items-center gap-x-2 min-h-7">
      <span className={v.verdict ? 'text-good' : 'text-bad'}>{v.verdict ? <Check size={15} aria-hidden="true" /> : <X size={15} aria-hidden="true" />}<span className="visually-hidden">{t(v.verdict ? 'triggers.held' : 'triggers.heldNot')}</span></span>
      <span className="text-muted">{field?.label ?? path}</span>
      <Shown field={field} value={v.left} />
      <span className="text-muted">{v.quantifier ? v.sentence : t(`op.${v.operator}`, v.operator ?? '')}</span>
      {v.right !== null && v.right !== undefined && <Shown field={field} value={v.right} />}
      <span className="text-muted">= {t(v.verdict ? 'triggers.true' : 'triggers.false')}</span>
    </div>
  )
}

const DEEDS: Record<string, string> = { done: 'green', failed: 'red', not_done: 'gray' }

/** What was done, or would be, one after the other. */
export const Deeds = ({ of: all }: { of: Deed[] }) => <ol className="list-none m-0 p-0">{all.map((d, i) => <Done key={i} of={d} />)}</ol>

function Done({ of: d }: { of: Deed }) {
  const { t } = useTranslation()
  const people = usePeople()
  const x = d.detail ?? {}
  const { data: entity } = useEntity(x.entity)
  const whom = [...(x.to ?? []), ...(x.people ?? []).map((id) => people.find((p) => p.id === id)?.name ?? '…')].join(', ')
  const move = entity && x.action ? actionsOf(entity).find((m) => m.name === x.action)?.label ?? x.action : ''
  const about = [entity?.label ?? x.entity, move].filter(Boolean).join(' · ')
  return (
    <li className="border-b border-line py-2">
      <div className="flex flex-wrap items-center gap-2">
        <strong className="font-semibold">{t(`triggers.do_${d.type}`, d.type)}</strong>
        {whom && <span className="text-muted" style={{ overflowWrap: 'anywhere' }}>{whom}</span>}
        {x.entity && x.record_id ? <Link className="ref" to="/o/$entity/r/$id" params={{ entity: x.entity, id: x.record_id }} search={{}}>{about}</Link> : about && <span className="text-muted">{about}</span>}
        {d.status && <Chip option={{ id: d.status, label: t(`triggers.deed_${d.status}`, d.status), color: DEEDS[d.status] ?? 'gray' }} />}
      </div>
      {d.message && <div className={d.status === 'done' ? 'text-muted' : 'text-bad'}>{d.message}</div>}
      {x.subject && <div className="font-medium mt-1">{x.subject}</div>}
      {x.text && <div className="text-muted whitespace-pre-wrap" style={{ overflowWrap: 'anywhere' }}>{x.text}</div>}
      {x.values && <ul className="list-none m-0 p-0">{Object.entries(x.values).map(([name, value]) => <li key={name} className="flex flex-wrap gap-x-1.5 text-muted" style={{ overflowWrap: 'anywhere' }}><span>{(entity && fieldOf(entity, name)?.label) ?? entity?.lines.find((l) => l.name === name)?.label ?? name}:</span>{typeof value === 'object' && value !== null ? <code>{JSON.stringify(value)}</code> : <Shown field={entity && fieldOf(entity, name)} value={value} />}</li>)}</ul>}
    </li>
  )
}
