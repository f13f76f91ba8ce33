import { useQuery } from '@tanstack/react-query'
import i18next from 'i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { toast } from '@/lib/toast'
import { fieldOf, titleOf } from '@/meta/hooks'
import type { Condition, Entity, Field, Option, Row } from '@/meta/types'
import { saveFields } from '@/record/save'
import type { Options } from '../state'
import { midnight, touching, whenOf, type Times } from './when'

const PAGE = 500

/** The rows that touch these days, as many pages as it takes, up to so many. */
export async function windowOf(entity: string, params: records.ListParams, most: number, signal?: AbortSignal): Promise<records.Page> {
  const out: records.Page = { data: [], next: null }
  do {
    const page = await records.list(entity, { ...params, limit: Math.min(PAGE, most - out.data.length), count: 'none', ...(out.next ? { cursor: out.next } : {}) }, signal)
    out.data.push(...page.data)
    if (page.cut) out.cut = true
    out.next = page.next
  } while (out.next && out.data.length < most)
  return out
}

export const within = (asked: records.ListParams, t: Times, from: string, to: string, ...more: Condition['rules']): Condition =>
  ({ operator: 'AND', rules: [...(asked.filter ? [asked.filter] : []), ...more, ...touching(t, from, to)] })

/** Shows changed fields wherever a view in time shows the row, at once. Answers on their way were asked before this, and are not waited for. */
function putFields(entity: string, id: string, changes: Record<string, unknown>): void {
  const held = { queryKey: ['calendar', entity] }
  const known = queryClient.getQueriesData<records.Page | undefined>(held)
  void queryClient.cancelQueries(held)
  for (const [key, page] of known) if (page?.data?.some((r) => r.id === id)) queryClient.setQueryData(key, { ...page, data: page.data.map((r) => (r.id === id ? { ...r, ...changes } : r)) })
}

/** Writes changed fields, shown at once and taken back where the server says no; `said` is told how it went. `was` says how it stood. */
export async function move(entity: Entity, row: Row, changes: Record<string, unknown>, label: string, was: string, said: (words: string) => void): Promise<boolean> {
  putFields(entity.name, row.id, changes)
  try {
    const fresh = await saveFields(entity, row, changes, label)
    // The next change stands on this one.
    putFields(entity.name, row.id, { version: fresh.version })
    said(label)
    return true
  } catch (e) {
    putFields(entity.name, row.id, Object.fromEntries(Object.keys(changes).map((k) => [k, row[k] ?? null])))
    const title = titleOf(entity, row)
    said(i18next.t('calendar.refused', { title, day: was, why: messageOf(e) }))
    toast.error(`${title}: ${messageOf(e)}`, { duration: 9000 })
    return false
  } finally { records.refresh(entity.name) }
}

/** Where there is nothing, the days of the last record before and of the first one after. */
export function useNearest(entity: Entity, asked: records.ListParams, t: Times, from: string, to: string, on: boolean): { before: string | null; after: string | null } | undefined {
  const value = (day: string) => (t.start.type === 'datetime' ? new Date(midnight(day, t.zone)).toISOString() : day)
  const one = async (operator: string, day: string, sort: string, signal: AbortSignal): Promise<string | null> => {
    const filter: Condition = { operator: 'AND', rules: [...(asked.filter ? [asked.filter] : []), { field: t.start.name, operator, value: value(day) }] }
    const row = (await records.list(entity.name, { filter, ...(asked.q ? { q: asked.q } : {}), sort, fields: `id,${t.start.name}`, limit: 1, count: 'none' }, signal)).data[0]
    return row ? whenOf(row, { start: t.start, zone: t.zone })?.from ?? null : null
  }
  return useQuery({
    queryKey: ['calendar', entity.name, 'nearest', t.start.name, asked.filter, asked.q, from, to], enabled: on, staleTime: 20_000,
    queryFn: async ({ signal }) => { const [before, after] = await Promise.all([one('less_than', from, `-${t.start.name}`, signal), one('greater_than', to, t.start.name, signal)]); return { before, after } },
  }).data
}

/** The field that colours: the one that was chosen, else the state. */
export const colourOf = (e: Entity, chosen: Field | undefined, options: Options): Field | undefined =>
  chosen ?? (options.colour === '' || !e.states ? undefined : fieldOf(e, e.states.field))
export function optionOf(e: Entity, f: Field | undefined, row: Row): Option | undefined {
  if (!f) return undefined
  const v = Array.isArray(row[f.name]) ? (row[f.name] as unknown[])[0] : row[f.name]
  return (e.states?.field === f.name ? e.states.options : f.options ?? []).find((o) => o.id === v)
}
