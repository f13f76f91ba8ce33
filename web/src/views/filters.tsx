import { ListFilter, ListTree, X } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { typeOf, type Operator } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { expandKey, fieldOf, useEntity, visibleFields } from '@/meta/hooks'
import type { Condition, Entity, Field, Rule } from '@/meta/types'
import { isRule } from '@/meta/types'
import { Dialog, Popover } from '@/ui/basics'
import { complete, withRule } from './state'

const RuleValue = lazy(() => import('./rule-value'))
const ConditionTree = lazy(() => import('./filter-tree').then((m) => ({ default: m.ConditionTree })))

const askable = (e: Entity): Field[] => visibleFields(e).filter((f) => f.filterable !== false && typeOf(f).operators.length > 0)

export function FieldPicker({ fields, onPick, placeholder }: { fields: Field[]; onPick: (f: Field) => void; placeholder: string }) {
  const { t } = useTranslation()
  const [q, setQ] = useState('')
  const found = fields.filter((f) => f.label.toLowerCase().includes(q.toLowerCase()))
  return (
    <div>
      <input className="input mb-1" autoFocus value={q} aria-label={placeholder} placeholder={placeholder} onChange={(e) => setQ(e.target.value)} onKeyDown={(e) => { if (e.key === 'Enter' && found[0]) { e.preventDefault(); onPick(found[0]) } }} />
      {found.map((f) => <button key={f.name} type="button" className="item" onClick={() => onPick(f)}>{f.label}</button>)}
      {found.length === 0 && <div className="px-2 py-1.5 text-muted">{t('nothingFound')}</div>}
    </div>
  )
}

export function AddFilter({ entity, filter, onChange, onAdded }: { entity: Entity; filter: Condition | undefined; onChange: (c: Condition) => void; onAdded: (at: number) => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [tree, setTree] = useState(false)
  return (
    <>
    <Popover open={open} onOpenChange={setOpen} width={240} label={t('filter.add')} trigger={<button type="button" className="btn ghost sm"><ListFilter size={14} />{t('filter.title')}</button>}>
      <FieldPicker placeholder={t('filter.field')} fields={askable(entity)} onPick={(f) => {
        setOpen(false)
        onChange(withRule(filter, null, { field: f.name, operator: typeOf(f).operators[0]!.name }))
        onAdded(filter?.rules.length ?? 0)
      }} />
      <div className="rule" />
      <button type="button" className="item text-muted" onClick={() => { setOpen(false); setTree(true) }}><ListTree size={15} />{t('tree.title')}</button>
    </Popover>
    {tree && <FilterTree entity={entity} filter={filter} onChange={onChange} onClose={() => setTree(false)} />}
    </>
  )
}

/** The whole filter, with all its groups. What is not finished yet asks nothing. */
function FilterTree({ entity, filter, onChange, onClose }: { entity: Entity; filter: Condition | undefined; onChange: (c: Condition) => void; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Dialog title={t('tree.title')} width={620} onClose={onClose} footer={<button type="button" className="btn" onClick={() => onChange({ operator: 'AND', rules: [] })}>{t('filter.clear')}</button>}>
      <Suspense fallback={null}><ConditionTree entity={entity} fields={askable(entity)} value={filter ?? { operator: 'AND', rules: [] }} onChange={onChange} /></Suspense>
    </Dialog>
  )
}

export function operandOf(f: Field, name: string): Operator { return typeOf(f).operators.find((o) => o.name === name) ?? { name, operand: 'one' } }

function ValueText({ field, rule }: { field: Field; rule: Rule }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const type = typeOf(field)
  const o = operandOf(field, rule.operator)
  if (o.operand === 'none') return null
  if (!complete(rule)) return <span className="text-faint">…</span>
  if (o.operand === 'days') return <span className="num">{t('days', { count: Number(rule.value) })}</span>
  const show = (v: unknown, i: number) => (['relation', 'user', 'users', 'location', 'country', 'duration'].includes(field.type) ? <type.Cell key={i} field={field} value={v} record={{}} locale={locale} plain /> : <span key={i}>{type.format(v, field, locale)}</span>)
  if (Array.isArray(rule.value)) {
    const shown = rule.value.slice(0, 2).map(show)
    return <span className="inline-flex max-w-[220px] overflow-hidden whitespace-pre">{shown.flatMap((s, i) => (i ? [<span key={`s${i}`}>{o.operand === 'two' ? ' – ' : ', '}</span>, s] : [s]))}{rule.value.length > 2 && <span> +{rule.value.length - 2}</span>}</span>
  }
  return <span className="max-w-[220px] truncate inline-flex">{show(rule.value, 0)}</span>
}

function RuleChip({ entity, rule, open, onOpen, onChange, onRemove }: { entity: Entity; rule: Rule; open: boolean; onOpen: (o: boolean) => void; onChange: (r: Rule) => void; onRemove: () => void }) {
  const { t } = useTranslation()
  // `customer.country`: a field of what a record names.
  const through = entity.fields.find((f) => f.ref && rule.field.startsWith(`${expandKey(f)}.`))
  const rest = through && rule.field.slice(expandKey(through).length + 1)
  const { data: target } = useEntity(through?.ref?.entity)
  const there = through && target ? fieldOf(target, rest!) : undefined
  const field = there ? { ...there, label: `${through!.label} · ${there.label}` } : fieldOf(entity, rule.field)
  if (through && !target) return <span className="chip plain gray" style={{ height: 26 }}>{through.label}…</span>
  if (!field) return <span className="chip red plain" style={{ height: 26 }}>{rule.field}<button type="button" className="border-0 bg-transparent p-0.5 flex" aria-label={t('remove')} onClick={onRemove}><X size={13} /></button></span>
  const operators = typeOf(field).operators
  return (
    <span className="inline-flex items-center h-[26px] rounded-md bg-sel text-accent-text text-xs">
      <Popover open={open} onOpenChange={onOpen} width={280} label={`${t('filter.title')}: ${field.label}`} trigger={
        <button type="button" className="border-0 bg-transparent h-full ps-2 pe-1 inline-flex items-center gap-1 rounded-md">
          <span>{field.label}</span><span>{t(`op.${rule.operator}`, rule.operator)}</span><span className="font-medium inline-flex"><ValueText field={field} rule={rule} /></span>
        </button>}>
        <div className="p-1.5 space-y-2">
          <select className="input" aria-label={t('filter.operator')} value={rule.operator} onChange={(e) => {
            const before = operandOf(field, rule.operator).operand; const after = operandOf(field, e.target.value).operand
            onChange(before === after && rule.value !== undefined ? { ...rule, operator: e.target.value } : { field: rule.field, operator: e.target.value })
          }}>{operators.map((o) => <option key={o.name} value={o.name}>{t(`op.${o.name}`)}</option>)}</select>
          <Suspense fallback={null}><RuleValue field={field} rule={rule} onChange={(value) => onChange({ ...rule, value })} /></Suspense>
        </div>
      </Popover>
      <button type="button" className="border-0 bg-transparent h-full px-1.5 inline-flex items-center rounded-md" aria-label={t('filter.remove', { name: field.label })} onClick={onRemove}><X size={13} /></button>
    </span>
  )
}

export function FilterChips({ entity, filter, onChange, opened, setOpened }: { entity: Entity; filter: Condition | undefined; onChange: (c: Condition) => void; opened: number | null; setOpened: (i: number | null) => void }) {
  const { t } = useTranslation()
  const rules = filter?.rules ?? []
  const [tree, setTree] = useState(false)
  return (
    <>
      {tree && <FilterTree entity={entity} filter={filter} onChange={onChange} onClose={() => setTree(false)} />}
      {rules.map((r, i) => (
        <span key={i} className="inline-flex items-center gap-1.5">
          {i === 1 && <button type="button" className="btn ghost sm" style={{ padding: '0 4px' }} title={t('filter.switch')} onClick={() => onChange({ ...filter!, operator: filter!.operator === 'AND' ? 'OR' : 'AND' })}>{filter!.operator === 'AND' ? t('filter.and') : t('filter.or')}</button>}
          {i > 1 && <span className="text-muted text-xs">{filter!.operator === 'AND' ? t('filter.and') : t('filter.or')}</span>}
          {isRule(r)
            ? <RuleChip entity={entity} rule={r} open={opened === i} onOpen={(o) => setOpened(o ? i : null)} onChange={(x) => onChange(withRule(filter, i, x))} onRemove={() => onChange(withRule(filter, i, null))} />
            : <span className="chip plain gray" style={{ height: 26 }}><button type="button" className="border-0 bg-transparent p-0 h-full" onClick={() => setTree(true)}>{t('filter.group', { count: r.rules.length })}</button><button type="button" className="border-0 bg-transparent p-0.5 flex" aria-label={t('remove')} onClick={() => onChange(withRule(filter, i, null))}><X size={13} /></button></span>}
        </span>
      ))}
      {rules.length > 1 && <button type="button" className="btn ghost sm" onClick={() => onChange({ operator: 'AND', rules: [] })}>{t('filter.clear')}</button>}
    </>
  )
}
