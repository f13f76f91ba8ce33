import { createElement, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, Problem } from '@/api/http'
import { isEmpty, typeOf } from '@/fields/registry'
import { parseDecimal, trimZeros } from '@/lib/decimal'
import { formatNumber, useLocale } from '@/lib/format'
import { lineFields, placeErrors } from './draft'
import { useEntity, titleOf } from '@/meta/hooks'
import type { ActionField, ActionSpec, Entity, Field, Row } from '@/meta/types'
import { Dialog, Skeleton } from '@/ui/basics'
import { FormFields, OtherErrors } from './form'

const readable = (s: string) => { const w = s.replace(/_id$/, '').replaceAll('_', ' '); return w.charAt(0).toUpperCase() + w.slice(1) }

/** An action says little of what it asks for; the rest is filled from the entity's own fields of that name. */
export function asField(f: ActionField, entity: Entity): Field {
  const own = entity.fields.find((x) => x.name === f.name)
  const options = f.options?.map((o) => (typeof o === 'string' ? own?.options?.find((x) => x.id === o) ?? { id: o, label: readable(o.toLowerCase()), color: null } : o))
  return {
    name: f.name, label: f.label ?? own?.label ?? readable(f.name), help: f.help ?? null, type: f.type, required: f.required ?? false, readonly: false, access: 'write',
    default: f.default, options: options ?? own?.options ?? null, ref: f.entity ? { entity: f.entity } : own?.ref ?? null,
    filterable: false, sortable: false, custom: false, unique: false, currency_field: own?.currency_field ?? 'currency',
  }
}

export function startValues(action: ActionSpec, row: Row): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const f of action.fields ?? []) {
    if (f.default_field && !isEmpty(row[f.default_field])) out[f.name] = row[f.default_field]
    else if (f.default === 'today') out[f.name] = new Intl.DateTimeFormat('sv-SE').format(new Date())
    else if (!isEmpty(f.default)) out[f.name] = f.default
  }
  return out
}

export function ActionDialog({ entity, action, row, onClose, run }: { entity: Entity; action: ActionSpec; row: Row; onClose: () => void; run: (body: Record<string, unknown>) => Promise<void> }) {
  const { t } = useTranslation()
  const all = action.fields ?? []
  const fields = all.filter((f) => f.type !== 'lines').map((f) => asField(f, entity))
  const pickers = all.filter((f) => f.type === 'lines')
  const [values, setValues] = useState<Record<string, unknown>>(() => startValues(action, row))
  const [picked, setPicked] = useState<Record<string, Record<string, string>>>({})
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [message, setMessage] = useState('')
  const [busy, setBusy] = useState(false)
  const go = async () => {
    if (busy) return
    const missing = Object.fromEntries(fields.filter((f) => f.required && isEmpty(values[f.name])).map((f) => [f.name, t('error.required')]))
    if (Object.keys(missing).length) { setErrors(missing); return }
    setBusy(true); setErrors({}); setMessage('')
    const keys: Record<string, string[]> = {}
    try {
      const body: Record<string, unknown> = Object.fromEntries(Object.entries(values).filter(([, v]) => !isEmpty(v)))
      for (const p of pickers) {
        const touched = picked[p.name]
        // Nothing touched and not asked for: the server takes all that is left.
        if (!touched && !p.required) continue
        const rows = Object.entries(touched ?? leftOver(row, p)).filter(([, q]) => q !== '' && Number(q) !== 0).map(([id, quantity]) => ({ id, quantity }))
        keys[p.name] = rows.map((r) => r.id)
        body[p.name] = rows
      }
      await run(body)
      onClose()
    } catch (e) {
      if (e instanceof Problem) setErrors(placeErrors(e.errors, keys))
      setMessage(messageOf(e))
    } finally { setBusy(false) }
  }
  const known = (k: string) => fields.some((f) => f.name === k)
  return (
    <Dialog title={action.label} width={pickers.length ? 640 : 460} onClose={onClose} onSubmit={() => void go()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy} aria-busy={busy}>{action.label}</button></>}>
      <OtherErrors message={fields.some((f) => errors[f.name]) ? '' : message} errors={errors} known={known} />
      <FormFields rows={pair(fields)} values={{ currency: row.currency, ...values }} errors={errors} focusFirst onChange={(n, v) => setValues((o) => ({ ...o, [n]: v }))} />
      {pickers.map((p) => <LinePicker key={p.name} entity={entity} row={row} spec={p} value={picked[p.name]} errors={errors} onChange={(v) => setPicked((o) => ({ ...o, [p.name]: v }))} />)}
    </Dialog>
  )
}

const pair = (fields: Field[]): Field[][] => { const out: Field[][] = []; for (let i = 0; i < fields.length; i += 2) out.push(fields.slice(i, i + 2)); return out }
const linesOf = (row: Row, p: ActionField): Row[] => (Array.isArray(row[p.part ?? 'lines']) ? (row[p.part ?? 'lines'] as Row[]) : [])

/** Exactly: `of` less what was done already. Quantities have six digits at most, so whole millionths are safe. */
function left(line: Row, p: ActionField): string {
  const units = (v: unknown) => { const [w = '0', f = ''] = String(v ?? '0').split('.'); return BigInt(w.replace('-', '') + f.padEnd(6, '0').slice(0, 6)) * (w.startsWith('-') ? -1n : 1n) }
  const rest = units(p.of ? line[p.of] : 0) - units(p.quantity ? line[p.quantity] : 0)
  if (rest <= 0n) return ''
  const s = rest.toString().padStart(7, '0')
  return trimZeros(`${s.slice(0, -6)}.${s.slice(-6)}`)
}
const leftOver = (row: Row, p: ActionField): Record<string, string> => Object.fromEntries(linesOf(row, p).map((l) => [l.id, left(l, p)]))

function LinePicker({ entity, row, spec, value, errors, onChange }: { entity: Entity; row: Row; spec: ActionField; value: Record<string, string> | undefined; errors: Record<string, string>; onChange: (v: Record<string, string>) => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const part = entity.lines.find((l) => l.name === (spec.part ?? 'lines'))
  const { data: meta } = useEntity(part?.entity)
  const [draft, setDraft] = useState<Record<string, string>>({})
  if (!part) return null
  if (!meta) return <Skeleton rows={2} />
  const now = value ?? leftOver(row, spec)
  const what = lineFields(meta, part.fk).find((f) => f.name === meta.title_field) ?? lineFields(meta, part.fk)[0]
  return (
    <table className="data mt-4">
      <thead><tr><th scope="col">{part.label ?? meta.plural}</th><th scope="col" className="end">{t('lines.left')}</th><th scope="col" className="end">{t('lines.quantity')}</th></tr></thead>
      <tbody>{linesOf(row, spec).map((l, i) => {
        const name = what ? typeOf(what).format(l[what.name], what, locale) || titleOf(meta, l) : titleOf(meta, l)
        const error = errors[`${spec.name}.${l.id}.quantity`] ?? errors[`${spec.name}.${l.id}`]
        return (
          <tr key={l.id}><td>{what ? createElement(typeOf(what).Cell, { field: what, value: l[what.name], record: l, locale, link: true }) : name}</td><td className="end num">{formatNumber(left(l, spec) || '0', locale)}</td>
            <td className="end" style={{ width: 130 }}><input className="input num" style={{ textAlign: 'end' }} inputMode="decimal" aria-label={`${name}, ${t('lines.row', { n: i + 1 })}: ${t('lines.quantity')}`} aria-invalid={!!error} value={draft[l.id] ?? formatNumber(now[l.id] ?? '', { ...locale }, {})}
              onChange={(e) => { setDraft((d) => ({ ...d, [l.id]: e.target.value })); onChange({ ...now, [l.id]: e.target.value.trim() === '' ? '' : parseDecimal(e.target.value, locale.locale) ?? e.target.value }) }} />{error && <div className="field-error">{error}</div>}</td></tr>
        )
      })}</tbody>
    </table>
  )
}
