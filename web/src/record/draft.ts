import type { FieldError } from '@/api/http'
import { isEmpty } from '@/fields/registry'
import { editable, visibleFields } from '@/meta/hooks'
import type { Entity, Field } from '@/meta/types'

export type LineRow = Record<string, unknown> & { _key: string; _delete?: boolean }

let keys = 0
export const newKey = (): string => `n${++keys}`

const scalar = (f: Field): unknown => {
  const d = f.default
  if (d === undefined || d === null || typeof d === 'object') return undefined
  if (f.type === 'date' && d === 'today') return new Intl.DateTimeFormat('sv-SE').format(new Date())
  // A default that is an expression is the server's to compute.
  if ((f.type === 'date' || f.type === 'datetime') && !/^\d{4}-\d\d-\d\d/.test(String(d))) return undefined
  if (typeof d === 'string' && /\(.*\)|::|\bnow\b|current_/.test(d)) return undefined
  return d
}
export function defaults(fields: Field[]): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const f of fields) { const d = scalar(f); if (d !== undefined) out[f.name] = d; else if (f.type === 'boolean' && f.required) out[f.name] = false }
  return out
}

/** The form's rows: as the module arranged them, what may be written only, nothing required left out. */
export function formRows(e: Entity, all = false): Field[][] {
  const byName = new Map(e.fields.map((f) => [f.name, f]))
  const usable = (f: Field | undefined): f is Field => !!f && (all || editable(f))
  const rows = e.form.map((r) => (Array.isArray(r) ? r : [r]).map((n) => byName.get(n)).filter(usable)).filter((r) => r.length)
  const placed = new Set(rows.flat().map((f) => f.name))
  const extra = visibleFields(e).filter((f) => usable(f) && !placed.has(f.name) && (rows.length === 0 || f.required || f.custom) && editable(f))
  for (let i = 0; i < extra.length; i += 2) rows.push(extra.slice(i, i + 2))
  return rows
}

export function lineFields(e: Entity, fk: string): Field[] {
  const shown = (e.list.length ? e.list : visibleFields(e).map((f) => f.name)).map((n) => e.fields.find((f) => f.name === n)).filter((f): f is Field => !!f && f.name !== fk && f.name !== 'position' && !f.system)
  const more = visibleFields(e).filter((f) => f.required && editable(f) && f.name !== fk && !shown.includes(f) && isEmpty(f.default))
  return [...shown, ...more]
}

/** A line's other fields, opened under it when asked for. */
export function lineDetails(e: Entity, fk: string): Field[] {
  const shown = lineFields(e, fk)
  const names = e.form.length ? e.form.flat() : visibleFields(e).map((f) => f.name)
  return names.map((n) => e.fields.find((f) => f.name === n)).filter((f): f is Field => !!f && editable(f) && f.name !== fk && f.name !== 'position' && !shown.includes(f))
}

/** What to send for edited lines, and which row each sent place stands for. */
export function lineChanges(before: LineRow[], after: LineRow[], fields: Field[]): { rows: Record<string, unknown>[]; keys: string[] } {
  const rows: Record<string, unknown>[] = []
  const keysOut: string[] = []
  const initial = defaults(fields)
  const old = new Map(before.filter((r) => r.id).map((r) => [r.id, r]))
  for (const r of after) {
    if (r.id && r._delete) { rows.push({ id: r.id, _delete: true }); keysOut.push(r._key); continue }
    if (r._delete) continue
    const was = r.id ? old.get(r.id) : undefined
    const part: Record<string, unknown> = {}
    for (const f of fields) {
      if (!editable(f)) continue
      const v = r[f.name]
      if (was ? JSON.stringify(v ?? null) !== JSON.stringify(was[f.name] ?? null) : !isEmpty(v) && JSON.stringify(v) !== JSON.stringify(initial[f.name])) part[f.name] = v ?? null
    }
    if (was) { if (Object.keys(part).length) { rows.push({ id: r.id, ...part }); keysOut.push(r._key) } } else if (touched(r, fields)) { rows.push(part); keysOut.push(r._key) }
  }
  return { rows, keys: keysOut }
}

/** An added row nobody filled in is not a line. */
export function touched(r: LineRow, fields: Field[]): boolean {
  const initial = defaults(fields)
  return fields.some((f) => editable(f) && !isEmpty(r[f.name]) && JSON.stringify(r[f.name]) !== JSON.stringify(initial[f.name]))
}

/** `lines.0.quantity` → the row it was sent for: `lines.<key>.quantity`. */
export function placeErrors(errors: FieldError[], keysOf: Record<string, string[]>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const e of errors) {
    const path = String(e.field ?? '').replace(/^\//, '').replaceAll('/', '.').replace(/\[(\d+)\]/g, '.$1').split('.')
    const [head = '', at, ...rest] = path
    const ks = keysOf[head]
    const key = ks && at !== undefined && /^\d+$/.test(at) ? `${head}.${ks[Number(at)] ?? at}${rest.length ? '.' + rest.join('.') : ''}` : path.join('.')
    out[key] ??= e.message
  }
  return out
}

export function without<T>(o: Record<string, T>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(o).filter(([k]) => k !== key))
}
