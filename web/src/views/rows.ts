import { useQueries, useQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import type { Row } from '@/meta/types'

export const PAGE = 100
/** The server's pages end here; a list that is longer says so and asks for a filter. */
export const REACH = 100_000

export const pageQuery = (entity: string, params: records.ListParams, page: number) => ({
  queryKey: ['rows', entity, params, page],
  queryFn: ({ signal }: { signal: AbortSignal }) => records.list(entity, { ...params, limit: PAGE, offset: page * PAGE, count: 'none' }, signal),
  staleTime: 20_000,
})

/** Rows by their place in the whole list. Only the pages in sight are asked for; counting never holds rows up. */
export function useRows(entity: string, params: records.ListParams, first: number, last: number, on: boolean) {
  const from = Math.floor(Math.max(0, first) / PAGE)
  const to = Math.floor(Math.max(0, last) / PAGE)
  const pages = Array.from({ length: Math.min(to - from + 1, 6) }, (_, i) => from + i)
  const answers = useQueries({ queries: pages.map((p) => ({ ...pageQuery(entity, params, p), enabled: on })) })
  const { filter, q } = params
  const count = useQuery({
    queryKey: ['count', entity, { filter, q }], staleTime: 20_000,
    queryFn: async ({ signal }) => (await records.list(entity, { ...(filter ? { filter } : {}), ...(q ? { q } : {}), limit: 1, count: 'exact' }, signal)).count ?? null,
  })
  const byPage = new Map<number, records.Page>()
  pages.forEach((p, i) => { const d = answers[i]?.data; if (d) byPage.set(p, d) })
  // A short page is the end, whatever a count made a moment earlier said.
  let total = count.data ? Math.min(count.data.value, REACH) : 0
  for (const [p, d] of byPage) {
    if (d.data.length < PAGE && (d.data.length > 0 || p === 0)) total = p * PAGE + d.data.length
    else total = Math.max(total, p * PAGE + d.data.length + (count.data ? 0 : PAGE))
  }
  const row = useCallback((i: number): Row | undefined => {
    const p = Math.floor(i / PAGE)
    return (byPage.get(p) ?? queryClient.getQueryData<records.Page>(['rows', entity, params, p]))?.data[i % PAGE]
  }, [answers, entity, params])
  const range = useCallback(async (a: number, b: number): Promise<Row[]> => {
    const out: Row[] = []
    for (let p = Math.floor(a / PAGE); p <= Math.floor(b / PAGE); p++) {
      const d = await queryClient.ensureQueryData(pageQuery(entity, params, p))
      out.push(...d.data.filter((_, i) => p * PAGE + i >= a && p * PAGE + i <= b))
    }
    return out
  }, [entity, params])
  return {
    row, range, total: Math.min(total, REACH), count: count.data ?? null,
    loading: on ? answers.some((a) => a.isPending) : count.isPending,
    error: answers.find((a) => a.error)?.error ?? null,
    retry: () => answers.forEach((a) => a.error && void a.refetch()),
  }
}

export function useParamsOf(filter: records.ListParams['filter'], q: string | undefined, sort: string | undefined, fields: string): records.ListParams {
  const filterKey = JSON.stringify(filter)
  return useMemo(() => {
    const out: records.ListParams = {}
    if (filter) out.filter = filter
    if (q) out.q = q
    if (sort) out.sort = sort.split(',').some((s) => s.replace('-', '') === 'id') ? sort : sort + ',id'
    if (fields) out.fields = fields
    return out
  }, [filterKey, q, sort, fields])
}
