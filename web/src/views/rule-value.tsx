import { X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import type { Field, Rule } from '@/meta/types'
import { operandOf } from './filters'

export default function RuleValue({ field, rule, onChange }: { field: Field; rule: Rule; onChange: (v: unknown) => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const type = typeOf(field)
  const o = operandOf(field, rule.operator)
  const Input = type.Filter ?? type.Input
  const loose = { ...field, required: false, readonly: false }
  if (o.operand === 'none') return null
  if (o.operand === 'days') return <input className="input num" type="number" min={1} max={3650} aria-label={t('filter.days')} value={String(rule.value ?? '')} onChange={(e) => onChange(e.target.value ? Number(e.target.value) : null)} />
  if (o.operand === 'two') {
    const pair = Array.isArray(rule.value) ? rule.value : [null, null]
    return <div className="flex gap-1.5 items-center"><Input field={loose} value={pair[0]} record={{}} label={t('filter.from')} onChange={(v) => onChange([v, pair[1]])} /><span>–</span><Input field={loose} value={pair[1]} record={{}} label={t('filter.to')} onChange={(v) => onChange([pair[0], v])} /></div>
  }
  if (o.operand === 'many') {
    const on = Array.isArray(rule.value) ? (rule.value as unknown[]) : rule.value ? [rule.value] : []
    if (field.options?.length) {
      return (
        <div role="group" aria-label={field.label}>
          {field.options.map((x) => (
            <label key={x.id} className="item"><input type="checkbox" checked={on.includes(x.id)} onChange={(e) => onChange(e.target.checked ? [...on, x.id] : on.filter((y) => y !== x.id))} /><type.Cell field={field} value={field.type === 'multiselect' ? [x.id] : x.id} record={{}} locale={locale} /></label>
          ))}
        </div>
      )
    }
    return (
      <div>
        {on.map((v) => <div key={String(v)} className="flex items-center gap-1 h-7"><span className="flex-1 min-w-0 flex"><type.Cell field={field} value={v} record={{}} locale={locale} /></span><button type="button" className="btn ghost icon sm" aria-label={t('remove')} onClick={() => onChange(on.filter((x) => x !== v))}><X size={13} /></button></div>)}
        <Input key={on.length} field={loose} value={null} record={{}} label={field.label} autoFocus={on.length === 0} onChange={(v) => v && !on.includes(v) && onChange([...on, v])} />
      </div>
    )
  }
  return <Input field={loose} value={rule.value ?? null} record={{}} label={field.label} autoFocus onChange={onChange} />
}
