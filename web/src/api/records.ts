import type { Condition, Row } from '@/meta/types'
import { del, get, patch, post, url, type Query } from './http'
import { queryClient } from './session'

export const pathOf = (entity: string): string => '/' + entity.replace('.', '/')
export interface Page { data: Row[]; next: string | null; count?: { value: number; exact: boolean } | null; cut?: boolean }
export interface ListParams { filter?: Condition | null; q?: string; sort?: string; expand?: string; fields?: string; limit?: number; offset?: number; cursor?: string; count?: 'exact' | 'estimate' | 'none'; /** Those in some days, with what comes back. */ occurs?: string }

export function listQuery(p: ListParams): Query {
  return { filter: p.filter && p.filter.rules.length ? JSON.stringify(p.filter) : undefined, q: p.q, sort: p.sort, expand: p.expand, fields: p.fields, limit: p.limit, offset: p.offset || undefined, cursor: p.cursor, count: p.count, occurs: p.occurs }
}
export const list = (entity: string, p: ListParams, signal?: AbortSignal): Promise<Page> => get<Page>(pathOf(entity), listQuery(p), signal)
export const read = (entity: string, id: string, expand?: string): Promise<Row> => get<Row>(`${pathOf(entity)}/${id}`, { expand })
export const create = (entity: string, body: unknown, key: string): Promise<Row> => post<Row>(pathOf(entity), body, { 'Idempotency-Key': key })
export const update = (entity: string, id: string, version: number | undefined, changes: unknown): Promise<Row> =>
  patch<Row>(`${pathOf(entity)}/${id}`, changes, version === undefined ? {} : { 'If-Match': `"${version}"` })
export const remove = (entity: string, id: string, version: number | undefined): Promise<void> => del(`${pathOf(entity)}/${id}`, version === undefined ? {} : { 'If-Match': `"${version}"` })
export const restore = (entity: string, id: string): Promise<Row> => post<Row>(`${pathOf(entity)}/${id}/restore`)
export const act = (entity: string, row: Row, action: string, body: unknown): Promise<Row> =>
  post<Row>(`${pathOf(entity)}/${row.id}/${action}`, body, row.version === undefined ? {} : { 'If-Match': `"${row.version}"` })
export interface Refusal { id: string; message: string }
export interface BulkResult { done?: number; failed?: Refusal[]; job?: { id: string; total?: number } }
export const bulk = (entity: string, body: unknown): Promise<BulkResult> => post<BulkResult>(`${pathOf(entity)}/_bulk`, body)
export const aggregate = (entity: string, body: unknown): Promise<{ data: Record<string, unknown>[] }> => post(`${pathOf(entity)}/_aggregate`, body)
export const exportUrl = (entity: string, format: string, p: ListParams): string => url(`${pathOf(entity)}/_export`, { ...listQuery(p), format })

export const printUrl = (entity: string, id: string): string => url(`${pathOf(entity)}/${id}/_print`)

// ---- the caches that hold rows -------------------------------------------------------------------------------------

type Cached = Page | undefined
/** Puts a changed row wherever the row is shown. What a list had expanded stays where the answer does not say more. */
export function putRow(entity: string, row: Row): void {
  queryClient.setQueriesData<Cached>({ queryKey: ['rows', entity] }, (page) =>
    page && page.data.some((r) => r.id === row.id) ? { ...page, data: page.data.map((r) => (r.id === row.id ? { ...r, ...row } : r)) } : page)
  queryClient.setQueriesData<Row | undefined>({ queryKey: ['record', entity, row.id] }, (old) => (old ? { ...old, ...row } : old))
}

export function refresh(entity: string): void {
  for (const kind of ['rows', 'board', 'calendar', 'count', 'sums', 'record']) void queryClient.invalidateQueries({ queryKey: [kind, entity] })
  for (const kind of ['related', 'approvals']) void queryClient.invalidateQueries({ queryKey: [kind] })
}
