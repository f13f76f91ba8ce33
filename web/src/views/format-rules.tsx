import { ArrowDown, ArrowUp, Plus, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Condition, Entity, Field } from '@/meta/types'
import { FieldPicker } from './filters'
import { ConditionTree, firstRule } from './filter-tree'
import { paintable } from './paint'
import type { FormatRule } from './state'

const HUES = ['red', 'amber', 'green', 'cyan', 'blue', 'violet', 'pink', 'gray']

/** Rules that colour a row or one of its cells; the first that is true goes. */
export default function FormatRules({ entity, columns, rules, onChange }: { entity: Entity; columns: Field[]; rules: FormatRule[]; onChange: (r: FormatRule[]) => void }) {
  const { t } = useTranslation()
  const put = (i: number, part: Partial<FormatRule>) => onChange(rules.map((r, j) => { if (j !== i) return r; const next = { ...r, ...part }; if (!next.field) delete next.field; return next }))
  const move = (i: number, to: number) => { const next = [...rules]; next.splice(to, 0, ...next.splice(i, 1)); onChange(next) }
  return (
    <div className="flex flex-col gap-2 p-1">
      {rules.map((r, i) => (
        <section key={i} aria-label={t('format.rule', { n: i + 1 })} className="note flex flex-col gap-2" style={{ padding: 8 }}>
          <ConditionTree entity={entity} fields={paintable(entity)} value={r.when} onChange={(when: Condition) => (when.rules.length ? put(i, { when }) : onChange(rules.filter((_, j) => j !== i)))} />
          <div className="flex items-center gap-1 flex-wrap">
            <div role="radiogroup" aria-label={t('format.color')} className="flex gap-0.5">
              {HUES.map((h) => <button key={h} type="button" role="radio" aria-checked={r.color === h} aria-label={t(`format.${h}`)} title={t(`format.${h}`)} className="btn ghost icon sm" style={r.color === h ? { borderColor: 'var(--accent)' } : undefined} onClick={() => put(i, { color: h })}><span className={`chip ${h}`} style={{ width: 18, height: 18, padding: 0, justifyContent: 'center' }} /></button>)}
            </div>
          </div>
          <div className="flex items-center gap-1">
            <select className="input" style={{ height: 28 }} aria-label={t('format.where')} value={r.field ?? ''} onChange={(e) => put(i, { field: e.target.value })}>
              <option value="">{t('format.row')}</option>
              {columns.map((c) => <option key={c.name} value={c.name}>{t('format.cell', { name: c.label })}</option>)}
            </select>
            <button type="button" className="btn ghost icon sm" disabled={i === 0} aria-label={t('format.up', { n: i + 1 })} onClick={() => move(i, i - 1)}><ArrowUp size={13} /></button>
            <button type="button" className="btn ghost icon sm" disabled={i === rules.length - 1} aria-label={t('format.down', { n: i + 1 })} onClick={() => move(i, i + 1)}><ArrowDown size={13} /></button>
            <button type="button" className="btn ghost icon sm" aria-label={t('format.remove', { n: i + 1 })} onClick={() => onChange(rules.filter((_, j) => j !== i))}><X size={13} /></button>
          </div>
        </section>
      ))}
      {rules.length === 0 ? <>
        <p className="m-0 px-1 text-muted text-xs">{t('format.help')}</p>
        <FieldPicker placeholder={t('format.add')} fields={paintable(entity)} onPick={(f) => onChange([{ when: { operator: 'AND', rules: [firstRule(f)] }, color: 'red' }])} />
      </> : rules.length < 20 && <button type="button" className="btn ghost sm self-start" onClick={() => onChange([...rules, { when: { operator: 'AND', rules: [firstRule(paintable(entity)[0]!)] }, color: HUES[rules.length % HUES.length]! }])}><Plus size={13} />{t('format.another')}</button>}
    </div>
  )
}
