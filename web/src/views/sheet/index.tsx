import i18next from 'i18next'
import { messageOf, Problem } from '@/api/http'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { currencyOf, typeOf } from '@/fields/registry'
import { editDecimal } from '@/lib/decimal'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { entityQuery, expandKey } from '@/meta/hooks'
import type { Field, Row, Rule } from '@/meta/types'
import type { Bad, Sheet } from '../grid'
import { readBlock, readCell, same, writeBlock, writeCell } from './parse'
import { Preview } from './preview'

/** Before more than this many cells change at once, what will change is shown. */
const QUIET = 20
const MOST = 5000
const AT_ONCE = 4

export interface Change { row: Row; field: Field; value: unknown; /** What a relation is called, or a pasted text. */ shown?: string | undefined; brought?: unknown; problem?: string | undefined }
const t = i18next.t.bind(i18next)

// ---- out ------------------------------------------------------------------------------------------------------------

function cellText(s: Sheet, row: Row, f: Field): string {
  const target = f.type === 'relation' || f.type === 'user' ? row[expandKey(f)] : undefined
  const value = target && typeof target === 'object' ? target : row[f.name]
  return writeCell(f, value, s.locale, (v) => typeOf(f).format(v, f, s.locale, currencyOf(f, row)), (v) => editDecimal(v, s.locale.locale))
}
const asText = (s: Sheet, rows: Row[]): string => {
  const fields = s.columns.slice(s.rect.c1, s.rect.c2 + 1)
  return rows.length === 1 && fields.length === 1 ? cellText(s, rows[0]!, fields[0]!) : writeBlock(rows.map((r) => fields.map((f) => cellText(s, r, f))))
}
/** The block as text, where all of its rows are known. */
export function copyNow(s: Sheet): string | undefined {
  const rows: Row[] = []
  for (let r = s.rect.r1; r <= s.rect.r2; r++) { const row = s.row(r); if (row) rows.push(row); else return undefined }
  return rows.length ? asText(s, rows) : undefined
}
export async function copyLater(s: Sheet): Promise<void> {
  try { await navigator.clipboard.writeText(asText(s, await s.range(s.rect.r1, Math.min(s.rect.r2, s.rect.r1 + MOST * 2)))) } catch { toast.error(t('error.clipboard')) }
}

// ---- in -------------------------------------------------------------------------------------------------------------

/** So many records from here on; heads of groups between them do not count. */
async function take(s: Sheet, from: number, n: number): Promise<Row[]> {
  let to = Math.min(s.total - 1, from + n - 1)
  let rows = await s.range(from, to)
  while (rows.length < n && to < s.total - 1) { to = Math.min(s.total - 1, to + n - rows.length + 3); rows = await s.range(from, to) }
  return rows.slice(0, n)
}

export async function paste(s: Sheet, text: string): Promise<void> {
  const block = readBlock(text)
  const wide = Math.max(...block.map((r) => r.length))
  // A smaller block fills a larger choice of cells, again and again.
  const deep = Math.min(MOST, Math.max(block.length, Math.floor((s.rect.r2 - s.rect.r1 + 1) / block.length) * block.length))
  const across = Math.max(wide, Math.floor((s.rect.c2 - s.rect.c1 + 1) / wide) * wide)
  const rows = await take(s, s.rect.r1, deep)
  const fields = s.columns.slice(s.rect.c1, s.rect.c1 + across)
  const changes: Change[] = []
  const wanted = new Map<Field, Set<string>>()
  rows.forEach((row, i) => fields.forEach((field, j) => {
    const line = block[i % block.length]!
    if (j % wide >= line.length && block.length > 1) return
    const raw = line[j % wide] ?? ''
    if (cellText(s, row, field) === raw) return
    if (!s.canEdit(field)) { changes.push({ row, field, value: raw, shown: raw, problem: t('sheet.readOnly', { field: field.label }) }); return }
    const read = readCell(field, raw, s.locale)
    if ('problem' in read) changes.push({ row, field, value: raw, shown: raw, problem: t(read.problem, { text: raw }) })
    else if ('look' in read) { if (!wanted.has(field)) wanted.set(field, new Set()); wanted.get(field)!.add(read.look); changes.push({ row, field, value: { look: read.look }, shown: raw }) }
    else if (!same(field, row[field.name], read.value)) changes.push({ row, field, value: read.value })
  }))
  try {
    for (const [field, names] of wanted) {
      const found = await look(field, [...names])
      for (const c of changes) {
        if (c.field !== field || c.problem) continue
        const name = (c.value as { look: string }).look
        const hits = found.get(name.toLowerCase()) ?? []
        if (hits.length === 1) { c.value = hits[0]!.id; c.brought = hits[0] } else { c.value = name; c.problem = t(hits.length ? 'sheet.several' : 'sheet.notFound', { text: name }) }
      }
    }
  } catch (e) { toast.error(messageOf(e)); return }
  const real = changes.filter((c) => c.problem || !same(c.field, c.row[c.field.name], c.value))
  const beyond = deep - rows.length
  const select = () => s.select({ r1: s.rect.r1, c1: s.rect.c1, r2: s.rect.r1 + rows.length - 1, c2: s.rect.c1 + fields.length - 1 })
  offer(s, real, t('sheet.paste'), 'sheet.pasted', select, [beyond > 0 && t('sheet.beyond', { count: beyond }), across > fields.length && t('sheet.beyondColumns', { count: across - fields.length })].filter((x) => x !== false))
}

/** Who is called so: by title, or by whatever else is one's own, as a number or a code. */
async function look(field: Field, names: string[]): Promise<Map<string, Row[]>> {
  const target = await queryClient.ensureQueryData(entityQuery(field.ref!.entity))
  const keys = [...new Set([field.ref!.title_field ?? target.title_field, ...target.fields.filter((f) => f.unique && /^(text|email)$/.test(f.type)).map((f) => f.name)])].filter((k): k is string => !!k && target.fields.some((f) => f.name === k && f.filterable))
  const out = new Map<string, Row[]>()
  for (const key of keys) {
    const left = names.filter((n) => !out.has(n.toLowerCase()))
    for (let i = 0; i < left.length; i += 40) {
      const rules: Rule[] = left.slice(i, i + 40).map((value) => ({ field: key, operator: 'equals_ci', value }))
      const { data } = await records.list(target.name, { filter: { operator: 'OR', rules }, fields: ['id', ...keys].join(','), limit: 500, count: 'none' })
      for (const row of data) { const k = String(row[key]).toLowerCase(); out.set(k, [...(out.get(k) ?? []), row]) }
    }
  }
  for (const n of names) if (!out.has(n.toLowerCase()) && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(n)) out.set(n.toLowerCase(), [{ id: n.toLowerCase() }])
  return out
}

/** The upper cells go down, again and again; of one row, what is above it. */
export async function fill(s: Sheet, to?: number): Promise<void> {
  const { r1, r2, c1, c2 } = s.rect
  const alone = to === undefined && r1 === r2
  if (alone && r1 === 0) return
  const deep = to === undefined ? 1 : r2 - r1 + 1
  const from = alone ? r1 - 1 : r1
  const rows = await s.range(from, Math.min(to ?? r2, from + MOST))
  const fields = s.columns.slice(c1, c2 + 1)
  const changes = rows.slice(deep).flatMap((row, i) => fields.flatMap((field): Change[] => {
    const source = rows[i % deep]!
    const value = source[field.name] ?? null
    if (same(field, row[field.name], value)) return []
    return [{ row, field, value, brought: source[expandKey(field)], shown: cellText(s, source, field), problem: s.canEdit(field) ? undefined : t('sheet.readOnly', { field: field.label }) }]
  }))
  offer(s, changes, t('sheet.fill'), 'sheet.filled', () => to !== undefined && s.select({ r1, c1, r2: to, c2 }), [])
}

export async function clear(s: Sheet): Promise<void> {
  const rows = await s.range(s.rect.r1, Math.min(s.rect.r2, s.rect.r1 + MOST))
  const fields = s.columns.slice(s.rect.c1, s.rect.c2 + 1)
  const changes = rows.flatMap((row) => fields.flatMap((field): Change[] => {
    const empty = field.type === 'tags' || field.type === 'multiselect' ? [] : null
    return same(field, row[field.name], empty) || field.type === 'boolean' ? [] : [{ row, field, value: empty, problem: s.canEdit(field) ? undefined : t('sheet.readOnly', { field: field.label }) }]
  }))
  offer(s, changes, t('sheet.clear'), 'sheet.cleared', () => {}, [])
}

function offer(s: Sheet, changes: Change[], action: string, label: string, then: () => void, notes: string[]): void {
  const good = changes.filter((c) => !c.problem)
  if (!changes.length) { toast(notes[0] ?? t('sheet.nothing')); return }
  const go = () => { s.show(null); then(); void apply(s, changes, label, notes) }
  if (good.length > QUIET) s.show(<Preview entity={s.entity} locale={s.locale} changes={changes} notes={notes} action={action} onClose={() => s.show(null)} onApply={go} />)
  else go()
}

// ---- the writing ----------------------------------------------------------------------------------------------------

/** Each row is one write, with the version that was seen. What the server refuses of a row does not hold up the rest of it. */
async function apply(s: Sheet, changes: Change[], label: string, notes: string[]): Promise<void> {
  const byRow = new Map<string, Change[]>()
  for (const c of changes) byRow.set(c.row.id, [...(byRow.get(c.row.id) ?? []), c])
  const lines = [...byRow.values()]
  const total = lines.length
  const written: { id: string; version: number | undefined; before: Record<string, unknown> }[] = []
  let cells = 0
  const refused: string[] = []
  const progress = total > 30 ? toast.loading(t('sheet.running', { done: 0, total })) : null
  const name = s.entity.name
  for (const line of lines) {
    const good = line.filter((c) => !c.problem)
    if (good.length) records.putRow(name, { ...line[0]!.row, ...Object.fromEntries(good.flatMap((c) => [[c.field.name, c.value], ...(c.brought ? [[expandKey(c.field), c.brought]] : [])])) })
  }
  let next = 0
  const worker = async () => {
    for (let line = lines[next++]; line; line = lines[next++]) {
      const { row } = line[0]!
      const marks: Record<string, Bad | null> = {}
      const refuse = (c: Change, message: string) => { marks[c.field.name] = { message, ...(c.field.type === 'relation' || c.field.type === 'user' ? {} : { value: c.value }) }; refused.push(message) }
      for (const c of line) if (c.problem) refuse(c, c.problem)
      let left = line.filter((c) => !c.problem)
      for (let tries = 0; left.length && tries < 3; tries++) {
        const body = Object.fromEntries(left.map((c) => [c.field.name, c.value]))
        try {
          const fresh = await records.update(name, row.id, row.version, body)
          written.push({ id: row.id, version: fresh.version, before: Object.fromEntries(left.map((c) => [c.field.name, row[c.field.name] ?? null])) })
          cells += left.length
          for (const c of left) marks[c.field.name] = null
          records.putRow(name, { ...Object.fromEntries(line.filter((c) => marks[c.field.name]).map((c) => [c.field.name, row[c.field.name]])), ...fresh })
          left = []
        } catch (e) {
          const errors = e instanceof Problem && (e.status === 400 || e.status === 422) ? e.errors : []
          const named = left.filter((c) => errors.some((x) => x.field === c.field.name))
          for (const c of named) refuse(c, errors.find((x) => x.field === c.field.name)!.message)
          left = left.filter((c) => !named.includes(c))
          if (!named.length || tries === 2) { for (const c of left) refuse(c, messageOf(e)); left = [] }
          if (!left.length) records.putRow(name, row)
        }
      }
      s.mark(row.id, marks)
      if (progress) toast.loading(t('sheet.running', { done: Math.min(next, total), total }), { id: progress })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  if (progress) toast.dismiss(progress)
  records.refresh(name)
  if (refused.length) toast.error(t('sheet.refused', { count: refused.length, message: refused[0] }), { duration: 10_000, ...(notes[0] ? { description: notes.join(' ') } : {}) })
  if (!written.length) return
  done(t(label, { count: cells }), async () => {
    const kept: string[] = []
    let at = 0
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let w = written[at++]; w; w = written[at++]) {
        try { records.putRow(name, await records.update(name, w.id, w.version, w.before)); s.mark(w.id, Object.fromEntries(Object.keys(w.before).map((k) => [k, null]))) } catch (e) { kept.push(messageOf(e)) }
      }
    }))
    records.refresh(name)
    if (kept.length) throw new Error(t('sheet.notUndone', { count: kept.length, message: kept[0] }))
  })
  if (notes.length && !refused.length) toast(notes.join(' '))
}

