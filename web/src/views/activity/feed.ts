import { get } from '@/api/http'
import * as records from '@/api/records'
import { instantToLocal } from '@/lib/format'
import type { Entity, Row } from '@/meta/types'
import type { HistoryEntry } from '@/record/history'

export interface Entry extends HistoryEntry { record: string }
export interface Feed { data: Entry[]; titles: Row[]; next: string | null }
export const KINDS = ['all', 'create', 'move', 'update', 'delete'] as const
export type Kind = (typeof KINDS)[number]

export function kindOf(e: Entity, h: { action: string; changes: HistoryEntry['changes'] }): Exclude<Kind, 'all'> {
  const a = h.action.toLowerCase()
  if (a === 'insert' || a === 'create' || a === 'import') return 'create'
  if (a === 'delete') return 'delete'
  return e.states && h.changes && e.states.field in h.changes ? 'move' : 'update'
}

const titled = async (e: Entity, ids: string[]): Promise<Row[]> =>
  ids.length && e.title_field ? (await records.list(e.name, { filter: { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: ids }] }, fields: `id,${e.title_field}`, limit: 500, count: 'none' })).data : []

/** All that happened, as the log tells it. */
export async function fromLog(e: Entity, actor: string, cursor: string | undefined): Promise<Feed> {
  const page = await get<{ data: (Entry & { entity: string })[]; next?: string | null }>('/audit', { entity: e.name, actor: actor || undefined, cursor, limit: 100 })
  return { data: page.data.filter((x) => x.record), titles: await titled(e, [...new Set(page.data.map((x) => x.record).filter(Boolean))]), next: page.next ?? null }
}
/** For whom the log is closed, or who looks at some records only: the histories of those that changed last. */
export async function fromRecords(e: Entity, params: records.ListParams, cursor: string | undefined, signal: AbortSignal): Promise<Feed> {
  const sort = e.fields.some((f) => f.name === 'updated_at' && f.sortable) ? '-updated_at,id' : '-id'
  const page = await records.list(e.name, { ...(params.filter ? { filter: params.filter } : {}), ...(params.q ? { q: params.q } : {}), sort, fields: ['id', e.title_field].filter(Boolean).join(','), limit: 12, count: 'none', ...(cursor ? { cursor } : {}) }, signal)
  const all = await Promise.all(page.data.map((r) => get<{ data: HistoryEntry[] }>(`${records.pathOf(e.name)}/${r.id}/_history`, { limit: 20 }, signal).then((h) => h.data.map((x): Entry => ({ ...x, record: r.id })))))
  return { data: all.flat().sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)), titles: page.data, next: page.next }
}

export interface Told { entries: Entry[]; day: string; kind: Exclude<Kind, 'all'> }
/** What one person did in one go is told in one line: a hundred records of an import are one event. */
export function told(e: Entity, all: Entry[], kind: Kind, zone: string): Told[] {
  const out: Told[] = []
  for (const x of all) {
    const is = kindOf(e, x)
    if (kind !== 'all' && is !== kind) continue
    const day = instantToLocal(x.at, zone).slice(0, 10)
    const last = out.at(-1)
    const first = last?.entries[0]
    if (last && first && last.kind === is && last.day === day && is === 'create' && first.actor?.id === x.actor?.id && Math.abs(+new Date(first.at) - +new Date(x.at)) < 60_000) last.entries.push(x)
    else out.push({ entries: [x], day, kind: is })
  }
  return out
}
