import { groupable, readMeasure, summable, type Targets } from '../pivot/cube'
import type { Condition, Entity } from '@/meta/types'
import { readCondition } from '../state'

/** What a widget is. All of a dashboard is one list of them, kept with the view. */
export const KINDS = ['number', 'progress', 'bar', 'hbar', 'stacked', 'line', 'area', 'pie', 'funnel', 'top', 'days', 'list', 'pivot', 'note'] as const
export type WidgetKind = (typeof KINDS)[number]
export interface Widget {
  id: string; kind: WidgetKind; x: number; y: number; w: number; h: number
  title?: string; entity?: string; value?: string; group?: string; split?: string; when?: string; anchor?: 'today' | 'last'; lower?: boolean
  limit?: number; goal?: string; currency?: string; text?: string; columns?: string[]; sort?: string; filter?: Condition
}
export const COLUMNS = 12
export const SIZES: Record<WidgetKind, [number, number]> = { number: [3, 2], progress: [3, 2], bar: [8, 5], hbar: [6, 5], stacked: [8, 5], line: [8, 5], area: [8, 5], pie: [4, 5], funnel: [5, 5], top: [6, 6], days: [12, 4], list: [6, 6], pivot: [8, 6], note: [4, 2] }
/** What each kind is asked about. */
export const NEEDS: Record<WidgetKind, { value?: boolean; group?: boolean; split?: boolean; when?: boolean; limit?: boolean; time?: boolean }> = {
  number: { value: true, when: true }, progress: { value: true }, bar: { value: true, group: true, split: true, limit: true }, hbar: { value: true, group: true, limit: true }, stacked: { value: true, group: true, split: true, limit: true },
  line: { value: true, group: true, split: true, limit: true }, area: { value: true, group: true, split: true, limit: true }, pie: { value: true, group: true, limit: true }, funnel: { value: true, group: true, limit: true }, top: { value: true, group: true, limit: true },
  days: { value: true, time: true }, list: { limit: true }, pivot: { value: true, group: true, split: true, limit: true }, note: {},
}

const word = (v: unknown, most = 200): string | undefined => (typeof v === 'string' && v !== '' ? v.slice(0, most) : undefined)
const whole = (v: unknown, least: number, most: number, usual: number): number => (typeof v === 'number' && Number.isFinite(v) ? Math.max(least, Math.min(most, Math.round(v))) : usual)

/** Whatever a link or an old view says: what is no widget is left out. */
export function readWidgets(text: string | undefined): Widget[] | undefined {
  if (text === undefined) return undefined
  let list: unknown
  try { list = JSON.parse(text) } catch { return undefined }
  if (!Array.isArray(list)) return undefined
  const out: Widget[] = []
  for (const raw of list.slice(0, 40) as Record<string, unknown>[]) {
    const kind = KINDS.find((k) => k === raw?.kind)
    if (!kind) continue
    const [w, h] = SIZES[kind]
    const width = whole(raw.w, 2, COLUMNS, w)
    const widget: Widget = { id: word(raw.id, 20) ?? `w${out.length}`, kind, w: width, h: whole(raw.h, 1, 20, h), x: whole(raw.x, 0, COLUMNS - width, 0), y: whole(raw.y, 0, 500, 0) }
    if (out.some((o) => o.id === widget.id)) widget.id = `w${out.length}_${widget.id}`
    for (const k of ['title', 'entity', 'value', 'group', 'split', 'when', 'goal', 'currency', 'sort'] as const) { const v = word(raw[k]); if (v) widget[k] = v }
    const said = word(raw.text, 4000); if (said) widget.text = said
    if (raw.anchor === 'today' || raw.anchor === 'last') widget.anchor = raw.anchor
    if (raw.lower === true) widget.lower = true
    if (raw.limit !== undefined) widget.limit = whole(raw.limit, 1, 100, 10)
    if (Array.isArray(raw.columns)) widget.columns = raw.columns.filter((c): c is string => typeof c === 'string').slice(0, 8)
    const filter = readCondition(raw.filter); if (filter) widget.filter = filter
    out.push(widget)
  }
  return compact(out)
}

// ---- the grid -------------------------------------------------------------------------------------------------------

type Box = Pick<Widget, 'x' | 'y' | 'w' | 'h'>
const touch = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
export const reading = (a: Box, b: Box): number => a.y - b.y || a.x - b.x

/** Everything as high as it can be, nothing over anything. */
export function compact(all: Widget[], first?: string): Widget[] {
  const placed: Widget[] = []
  for (const w of [...all].sort((a, b) => reading(a, b) || Number(b.id === first) - Number(a.id === first))) {
    const at = { ...w }
    while (placed.some((p) => touch(p, at))) at.y++
    while (at.y > 0 && !placed.some((p) => touch(p, { ...at, y: at.y - 1 }))) at.y--
    placed.push(at)
  }
  return placed
}
/** Puts one where it was asked to be; what was there makes room. */
export function put(all: Widget[], id: string, part: Partial<Box>): Widget[] {
  const old = all.find((w) => w.id === id)
  if (!old) return all
  const w = Math.max(2, Math.min(COLUMNS, part.w ?? old.w))
  const moved: Widget = { ...old, w, h: Math.max(1, Math.min(20, part.h ?? old.h)), x: Math.max(0, Math.min(COLUMNS - w, part.x ?? old.x)), y: Math.max(0, part.y ?? old.y) }
  // The others as they would stand without it; what it was put below the middle of, it goes below.
  const others = compact(all.filter((o) => o.id !== id)).sort(reading)
  for (const other of others) if (touch(moved, other) && moved.y > other.y && moved.y - other.y >= other.h / 2) moved.y = other.y + other.h
  const placed = [moved]
  for (const other of others) {
    const at = { ...other }
    while (placed.some((p) => touch(p, at))) at.y++
    placed.push(at)
  }
  return compact(placed, id)
}
/** The first place where it fits, from the top. */
export function add(all: Widget[], widget: Omit<Widget, 'x' | 'y'>): Widget[] {
  for (let y = 0; ; y++) for (let x = 0; x + widget.w <= COLUMNS; x++) if (!all.some((o) => touch(o, { ...widget, x, y }))) return compact([...all, { ...widget, x, y }])
}
export const freshId = (all: Widget[]): string => { let i = all.length; while (all.some((w) => w.id === `w${i}`)) i++; return `w${i}` }

// ---- to begin with ----------------------------------------------------------------------------------------------------

/** What somebody would want to see of these records, before anybody has said so. */
export function suggest(e: Entity, targets: Targets): Widget[] {
  const fields = groupable(e)
  const listed = [...e.list.map((n) => fields.find((f) => f.name === n)).filter((f) => !!f), ...fields.filter((f) => !f.system)]
  const date = listed.find((f) => f.type === 'date' || f.type === 'datetime')?.name ?? (fields.some((f) => f.name === 'created_at') ? 'created_at' : undefined)
  const money = e.document ? e.list.map((n) => summable(e).find((f) => f.name === n && f.type === 'money')).find((f) => f) : undefined
  const value = money ? `sum:${money.name}` : 'count'
  const state = e.states ? fields.find((f) => f.name === e.states?.field) : undefined
  const choice = state ?? listed.find((f) => f.type === 'select')
  const other = listed.find((f) => (f.type === 'select' || f.type === 'boolean' || f.type === 'text') && f !== choice && !f.name.startsWith('currency'))
  // Whom the list shows, not whatever could be named.
  const who = e.list.map((n) => fields.find((f) => f.name === n)).find((f) => f?.type === 'relation') ?? e.list.map((n) => fields.find((f) => f.name === n)).find((f) => f?.type === 'user')
  const target = who && targets[who.name]
  const place = (target && who?.type === 'relation' && groupable(target).find((f) => /country/.test(f.name))) || undefined
  const own = fields.find((f) => /(^|_)country$/.test(f.name)) ?? other
  let all: Widget[] = []
  const more = (kind: WidgetKind, part: Partial<Widget>) => { const [w, h] = SIZES[kind]; all = add(all, { id: `w${all.length}`, kind, w, h, ...part }) }
  const period = date ? { when: `${date}:month`, anchor: 'last' as const } : {}
  const small = money ? 3 : 12
  more('number', { value: 'count', ...period, w: small })
  if (money) { more('number', { value: `sum:${money.name}`, ...period }); more('number', { value: `avg:${money.name}`, ...period }); more('number', { value: `max:${money.name}` }) }
  if (date) more('bar', { group: `${date}:month`, value, w: choice ? 8 : 12, limit: 24 })
  if (choice) more('pie', { group: choice.name, value: 'count', w: date ? 4 : 12 })
  const second = who && place ? `${who.name}.${place.name}` : own?.name
  if (who) more('top', { group: who.name, value, limit: 8, w: second ? 6 : 12 })
  if (second) more('hbar', { group: second, value: who && place ? value : 'count', limit: 10, h: 6, w: who ? 6 : 12 })
  if (date) more('days', { group: date, value: 'count', anchor: 'last' })
  more('list', { limit: 8, w: 12, h: 6, ...(date ? { sort: `-${date}` } : {}) })
  return all
}

export const valueOf = (e: Entity, w: Widget) => readMeasure(e, w.value ?? 'count') ?? readMeasure(e, 'count')!
