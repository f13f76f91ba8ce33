import { clsx } from 'clsx'
import { ChevronDown, Plus, Trash2 } from 'lucide-react'
import { Fragment, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { editable } from '@/meta/hooks'
import type { Entity, Field } from '@/meta/types'
import { Labelled } from '@/ui/basics'
import { defaults, lineDetails, lineFields, newKey, type LineRow } from './draft'

const WIDTH: Record<string, number> = { relation: 120, text: 150, textarea: 200, quantity: 84, money: 108, percent: 84, boolean: 84, date: 136, datetime: 190, integer: 86, number: 100, select: 130, user: 170 }

/** What the line is about has the most room. */
const widthOf = (f: Field, at: number): number => (at === 0 ? 250 : WIDTH[f.type] ?? 140)

/** A document's lines as a grid of inputs: Enter and the arrows walk it, Enter under the last row adds one. */
export function LinesEditor({ meta, fk, name, rows, onChange, errors, parent, locked }: {
  meta: Entity; fk: string; name: string; rows: LineRow[]; onChange: (rows: LineRow[]) => void; errors: Record<string, string>; parent: Record<string, unknown>; locked: boolean
}) {
  const { t } = useTranslation()
  const locale = useLocale()
  const box = useRef<HTMLTableElement>(null)
  const live = rows.filter((r) => !r._delete)
  // What the server computes is shown once there is something to show.
  const fields = lineFields(meta, fk).filter((f) => (editable(f) && !locked) || live.some((r) => !isEmpty(r[f.name]) && (f.type !== 'quantity' || editable(f) || Number(r[f.name]) !== 0)))
  const details = locked ? [] : lineDetails(meta, fk)
  const [open, setOpen] = useState<string[]>([])
  const firstInput = fields.findIndex(editable)
  const focus = (row: number, col: number) => requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-line="${row}"][data-col="${col}"] :is(input,select,textarea,button)`)?.focus())
  const add = () => { onChange([...rows, { _key: newKey(), ...defaults([...fields, ...details]) }]); focus(live.length, Math.max(0, firstInput)) }
  const drop = (key: string, at: number) => {
    onChange(rows.flatMap((r) => (r._key !== key ? [r] : r.id ? [{ ...r, _delete: true }] : [])))
    focus(Math.max(0, at - 1), Math.max(0, firstInput))
  }
  const keys = (e: React.KeyboardEvent, r: LineRow, i: number, c: number) => {
    if (e.defaultPrevented) return
    const el = e.target as HTMLElement
    const mod = e.metaKey || e.ctrlKey
    if (mod && e.key === 'Backspace') { e.preventDefault(); drop(r._key, i); return }
    if (mod || e.altKey || el.tagName === 'TEXTAREA') return
    if (e.key === 'Enter' && el.tagName !== 'BUTTON') { e.preventDefault(); e.stopPropagation(); if (i === live.length - 1) add(); else focus(i + 1, c) }
    else if (e.key === 'ArrowDown' && el.tagName !== 'SELECT' && i < live.length - 1) { e.preventDefault(); focus(i + 1, c) }
    else if (e.key === 'ArrowUp' && el.tagName !== 'SELECT' && i > 0) { e.preventDefault(); focus(i - 1, c) }
  }
  return (
    <div>
      {live.length > 0 && <div className="overflow-x-auto" {...(locked ? { tabIndex: 0, role: 'group', 'aria-label': meta.plural } : {})}>
        <table ref={box} className="lines" style={locked ? undefined : { minWidth: fields.reduce((n, f, c) => n + widthOf(f, c) * 0.85, 64) }}>
          <thead><tr><th scope="col" style={{ width: 30 }}><span className="visually-hidden">{t('lines.number')}</span>#</th>
            {fields.map((f, c) => <th key={f.name} scope="col" className={typeOf(f).align} style={locked ? undefined : { width: widthOf(f, c) }} title={f.help ?? undefined}>{f.label}{f.required && editable(f) && <span className="text-bad" aria-hidden="true"> *</span>}</th>)}
            {!locked && <th scope="col" style={{ width: details.length ? 66 : 34 }}><span className="visually-hidden">{t('remove')}</span></th>}</tr></thead>
          <tbody>
            {live.map((r, i) => (
              <Fragment key={r._key}>
              <tr>
                <td><span className="ro text-faint num">{i + 1}</span></td>
                {fields.map((f, c) => {
                  const type = typeOf(f)
                  const error = errors[`${name}.${r._key}.${f.name}`]
                  const change = (v: unknown) => onChange(rows.map((x) => (x._key === r._key ? { ...x, [f.name]: v } : x)))
                  return (
                    <td key={f.name} className={clsx(type.align)} data-line={i} data-col={c} onKeyDown={(e) => keys(e, r, i, c)}>
                      {locked || !editable(f)
                        ? <span className="ro">{<type.Cell field={f} value={r[f.name]} record={r} locale={locale} currency={currencyOf(f, r, parent)} link />}</span>
                        : <type.Input field={f} value={r[f.name] ?? null} onChange={change} record={{ ...r, currency: r.currency ?? currencyOf(f, parent) }} label={`${f.label}, ${t('lines.row', { n: i + 1 })}`} invalid={!!error} compact />}
                    </td>
                  )
                })}
                {!locked && <td className="whitespace-nowrap" style={{ paddingBlock: 4 }}>{details.length > 0 && <button type="button" className="btn ghost icon sm" aria-expanded={open.includes(r._key) || details.some((f) => errors[`${name}.${r._key}.${f.name}`])} aria-label={t('lines.more', { n: i + 1 })} onClick={() => setOpen((o) => (o.includes(r._key) ? o.filter((k) => k !== r._key) : [...o, r._key]))}><ChevronDown size={14} style={{ transform: open.includes(r._key) ? 'rotate(180deg)' : undefined }} /></button>}<button type="button" className="btn ghost icon sm" aria-label={t('lines.drop', { n: i + 1 })} onClick={() => drop(r._key, i)}><Trash2 size={14} /></button></td>}
              </tr>
              {fields.some((f) => errors[`${name}.${r._key}.${f.name}`]) && (
                <tr><td colSpan={fields.length + 2} style={{ height: 'auto', padding: '2px 7px 6px 37px' }}>{fields.filter((f) => errors[`${name}.${r._key}.${f.name}`]).map((f) => <div key={f.name} className="field-error" role="alert">{f.label}: {errors[`${name}.${r._key}.${f.name}`]}</div>)}</td></tr>
              )}
              {details.length > 0 && (open.includes(r._key) || details.some((f) => errors[`${name}.${r._key}.${f.name}`])) && (
                <tr><td colSpan={fields.length + 2} style={{ padding: '10px 8px 14px 38px', height: 'auto' }}>
                  <div className="lines-more grid gap-x-4 gap-y-2.5 sm:grid-cols-2 lg:grid-cols-4">
                    {details.map((f) => {
                      const { Input } = typeOf(f)
                      return (
                        <Labelled key={f.name} label={f.label} help={null} error={errors[`${name}.${r._key}.${f.name}`]}>
                          {(p) => <Input field={f} value={r[f.name] ?? null} onChange={(v) => onChange(rows.map((x) => (x._key === r._key ? { ...x, [f.name]: v } : x)))} record={{ ...r, currency: r.currency ?? currencyOf(f, parent) }} id={p.id} invalid={p['aria-invalid']} describedBy={p['aria-describedby']} />}
                        </Labelled>
                      )
                    })}
                  </div>
                </td></tr>
              )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>}
      {live.length === 0 && <div className="text-muted py-3 px-2">{t('lines.none')}</div>}
      {!locked && <button type="button" className="btn ghost sm mt-1.5" onClick={add}><Plus size={14} />{t('lines.add')}</button>}
    </div>
  )
}

/** In the side panel: what, how many, how much. Editing has the page's width. */
export function LinesCompact({ meta, fk, rows, parent }: { meta: Entity; fk: string; rows: LineRow[]; parent: Record<string, unknown> }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const fields = lineFields(meta, fk)
  const ends = fields.filter((f) => typeOf(f).align === 'end')
  const quantity = ends.find((f) => f.type === 'quantity' || f.type === 'integer' || f.type === 'number')
  const money = ends.filter((f) => f.type === 'money').at(-1)
  const what = fields.find((f) => typeOf(f).align !== 'end')
  const shown = [what, quantity, money].filter((f): f is Field => !!f)
  if (rows.length === 0) return <div className="text-muted py-2">{t('lines.none')}</div>
  return (
    <table className="data">
      <thead><tr>{shown.map((f) => <th key={f.name} scope="col" className={clsx(typeOf(f).align)} style={{ paddingInlineStart: f === what ? 0 : undefined, paddingInlineEnd: f === shown.at(-1) ? 0 : undefined }}>{f.label}</th>)}</tr></thead>
      <tbody>{rows.map((r) => (
        <tr key={r._key}>{shown.map((f) => { const { Cell, align } = typeOf(f); return <td key={f.name} className={clsx(align, align && 'num')} style={{ height: 32, paddingInlineStart: f === what ? 0 : undefined, paddingInlineEnd: f === shown.at(-1) ? 0 : undefined }}><Cell field={f} value={r[f.name]} record={r} locale={locale} currency={currencyOf(f, r, parent)} link /></td> })}</tr>
      ))}</tbody>
    </table>
  )
}
