import { Plus, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { fieldOf } from '@/meta/hooks'
import type { Condition, Entity, Field, Rule } from '@/meta/types'
import { isRule } from '@/meta/types'
import { operandOf } from './filters'
import RuleValue from './rule-value'

export const firstRule = (f: Field): Rule => ({ field: f.name, operator: typeOf(f).operators[0]!.name })

/** A condition in full: what must be true together, and what instead of each other, as deep as it goes. */
export function ConditionTree({ entity, fields, value, onChange, depth = 0 }: { entity: Entity; fields: Field[]; value: Condition; onChange: (c: Condition) => void; depth?: number }) {
  const { t } = useTranslation()
  const put = (i: number, r: Rule | Condition | null) => onChange({ ...value, rules: r ? value.rules.map((x, j) => (j === i ? r : x)) : value.rules.filter((_, j) => j !== i) })
  const blank = (): Rule => firstRule(fields[0]!)
  return (
    <div role="group" aria-label={t(value.operator === 'OR' ? 'tree.any' : 'tree.all')} className="flex flex-col gap-2" style={depth ? { borderInlineStart: '2px solid var(--line-strong)', paddingInlineStart: 10 } : undefined}>
      {(value.rules.length > 1 || depth > 0) && <select className="input self-start" style={{ width: 'auto', height: 28 }} aria-label={t('tree.how')} value={value.operator} onChange={(e) => onChange({ ...value, operator: e.target.value as 'AND' | 'OR' })}><option value="AND">{t('tree.all')}</option><option value="OR">{t('tree.any')}</option></select>}
      {value.rules.map((r, i) => (isRule(r)
        ? <RuleRow key={i} entity={entity} fields={fields} rule={r} onChange={(x) => put(i, x)} onRemove={() => put(i, null)} />
        : <div key={i} className="flex items-start gap-1"><div className="flex-1 min-w-0"><ConditionTree entity={entity} fields={fields} value={r} depth={depth + 1} onChange={(x) => put(i, x.rules.length ? x : null)} /></div><button type="button" className="btn ghost icon sm" aria-label={t('tree.removeGroup')} onClick={() => put(i, null)}><X size={13} /></button></div>))}
      <div className="flex gap-1">
        <button type="button" className="btn ghost sm" onClick={() => onChange({ ...value, rules: [...value.rules, blank()] })}><Plus size={13} />{t('tree.rule')}</button>
        {depth < 3 && <button type="button" className="btn ghost sm" onClick={() => onChange({ ...value, rules: [...value.rules, { operator: value.operator === 'AND' ? 'OR' : 'AND', rules: [blank()] }] })}><Plus size={13} />{t('tree.group')}</button>}
      </div>
    </div>
  )
}

function RuleRow({ entity, fields, rule, onChange, onRemove }: { entity: Entity; fields: Field[]; rule: Rule; onChange: (r: Rule) => void; onRemove: () => void }) {
  const { t } = useTranslation()
  const field = fieldOf(entity, rule.field)
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-center gap-1">
        <select className="input flex-1 min-w-0" style={{ height: 28 }} aria-label={t('bulk.field')} value={rule.field} onChange={(e) => onChange(firstRule(fieldOf(entity, e.target.value)!))}>
          {!fields.some((f) => f.name === rule.field) && <option value={rule.field}>{field?.label ?? rule.field}</option>}
          {fields.map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}
        </select>
        {field && <select className="input flex-1 min-w-0" style={{ height: 28 }} aria-label={t('filter.operator')} value={rule.operator} onChange={(e) => {
          const keep = operandOf(field, rule.operator).operand === operandOf(field, e.target.value).operand && rule.value !== undefined
          onChange(keep ? { ...rule, operator: e.target.value } : { field: rule.field, operator: e.target.value })
        }}>{typeOf(field).operators.map((o) => <option key={o.name} value={o.name}>{t(`op.${o.name}`)}</option>)}{!typeOf(field).operators.some((o) => o.name === rule.operator) && <option value={rule.operator}>{t(`op.${rule.operator}`, rule.operator)}</option>}</select>}
        <button type="button" className="btn ghost icon sm" aria-label={t('filter.remove', { name: field?.label ?? rule.field })} onClick={onRemove}><X size={13} /></button>
      </div>
      {field && operandOf(field, rule.operator).operand !== 'none' && <RuleValue key={rule.field + rule.operator} field={field} rule={rule} onChange={(value) => onChange({ ...rule, value })} />}
    </div>
  )
}
