import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get } from '@/api/http'
import { queryClient } from '@/api/session'
import type { Entity, EntityIndex, Field, Meta } from './types'

const FRESH = 5 * 60_000

export const metaQuery = { queryKey: ['meta'], queryFn: () => get<Meta>('/meta'), staleTime: FRESH }
export const entityQuery = (name: string) => ({
  queryKey: ['meta', name],
  staleTime: FRESH,
  queryFn: async (): Promise<Entity> => {
    const e = await get<Entity>(`/meta/entities/${name}`)
    // Lists may be absent where they are empty.
    return { ...e, fields: e.fields ?? [], list: e.list ?? [], form: e.form ?? [], lines: e.lines ?? [], actions: e.actions ?? [], can: e.can ?? { create: false, update: false, delete: false, export: false, import: false } }
  },
})

export const useMeta = () => useQuery(metaQuery)
export const useEntity = (name: string | undefined) => useQuery({ ...entityQuery(name ?? ''), enabled: !!name })
export const prefetchEntity = (name: string): void => void queryClient.prefetchQuery(entityQuery(name))

export interface MenuModule { name: string; title: string; icon?: string | null; entities: { name: string; label: string; plural: string; icon?: string | null; page?: EntityIndex['page'] }[] }

/** What the sidebar shows: parts of a document are reached through their owner, so they are left out. */
export function useMenu(): MenuModule[] {
  const { data } = useMeta()
  return useMemo(() => (data?.modules ?? []).map((m) => ({
    name: m.name, title: m.title, icon: m.icon ?? null,
    entities: m.entities
      .map((e) => (typeof e === 'string' ? e : e.name))
      .map((n) => data?.entities[n] ?? data?.entities[`${m.name}.${n}`])
      .filter((e) => !!e && !e.part_of)
      .map((e) => e!),
  })).filter((m) => m.entities.length > 0), [data])
}

const HIDDEN = new Set(['id', 'organization_id', 'version', 'deleted_at'])
export const visibleFields = (e: Entity): Field[] => e.fields.filter((f) => !HIDDEN.has(f.name))
export const fieldOf = (e: Entity, name: string): Field | undefined => e.fields.find((f) => f.name === name)
export const editable = (f: Field): boolean => !f.readonly && f.access === 'write'

/** `customer_id` is expanded as `customer`. */
export const expandKey = (f: Field): string => f.ref?.relation || f.name.replace(/_id$/, '')
/** Only what the person may read can be expanded: asking for more would be refused whole. */
export function expandable(f: Field): boolean {
  if ((f.type !== 'relation' && f.type !== 'user') || !f.ref) return false
  return !!queryClient.getQueryData<Meta>(['meta'])?.entities[f.ref.entity]
}
export const titlePath = (f: Field): string | null => (expandable(f) && f.ref?.title_field ? `${expandKey(f)}.${f.ref.title_field}` : null)

/** What a list of these columns needs to know of a row, and no more. */
export function listFields(e: Entity, columns: Field[]): string {
  const names = new Set(['id'])
  const has = (n: string | null | undefined) => !!n && e.fields.some((f) => f.name === n)
  for (const f of columns) {
    names.add(f.name)
    const title = titlePath(f)
    if (title) names.add(title)
    if (has(f.currency_field)) names.add(f.currency_field!)
    // What stands in the address of a button.
    for (const [, n] of String(f.settings?.url ?? '').matchAll(/\{\{\s*([\w.]+)\s*\}\}/g)) if (has(n)) names.add(n!)
  }
  for (const n of [e.title_field, e.states?.field, 'currency', 'version']) if (has(n)) names.add(n!)
  return [...names].join(',')
}

/** What a record's page brings along: its lines with what they name, then its own relations. The server takes twenty. */
export function recordExpand(e: Entity, parts: (Entity | undefined)[]): string {
  const out: string[] = []
  e.lines.forEach((l, i) => {
    out.push(l.name)
    const meta = parts[i]
    if (meta) for (const n of meta.list) { const f = fieldOf(meta, n); if (f && f.name !== l.fk && expandable(f)) out.push(`${l.name}.${expandKey(f)}`) }
  })
  const own = e.fields.filter(expandable).sort((a, b) => Number(!!a.system) - Number(!!b.system))
  return [...out, ...own.map(expandKey)].slice(0, 20).join(',')
}

/** A relation sorts by what it is called, not by its id. */
export const wireSort = (e: Entity, sort: string | undefined): string | undefined =>
  sort?.split(',').map((s) => { const down = s.startsWith('-') ? '-' : ''; const f = fieldOf(e, s.replace(/^-/, '')); return down + ((f && titlePath(f)) || s.replace(/^-/, '')) }).slice(0, 4).join(',')

export function titleOf(e: { title_field: string | null; label: string }, row: Record<string, unknown> | null | undefined): string {
  if (!row) return ''
  const t = e.title_field ? row[e.title_field] : null
  return String(t ?? row.name ?? row.title ?? row.number ?? row.code ?? '') || `${e.label} …${String(row.id ?? '').slice(-6)}`
}
