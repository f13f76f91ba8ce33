import { useQueries } from '@tanstack/react-query'
import * as records from '@/api/records'
import { titleOf } from '@/meta/hooks'
import type { Meta } from '@/meta/types'

/** What the records are called: one question for each kind. */
export function useTitles(entries: { entity: string; record: string | null }[], meta: Meta | undefined): Record<string, string> {
  const groups = new Map<string, Set<string>>()
  for (const a of entries) if (a.record && meta?.entities[a.entity]?.title_field) groups.set(a.entity, (groups.get(a.entity) ?? new Set()).add(a.record))
  const asked = [...groups].map(([entity, ids]) => ({ entity, ids: [...ids].sort() }))
  return useQueries({
    queries: asked.map(({ entity, ids }) => ({ queryKey: ['titles', entity, ids], staleTime: 60_000, retry: false, queryFn: () => records.list(entity, { filter: { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: ids }] }, fields: `id,${meta!.entities[entity]!.title_field}`, limit: 500 }).then((r) => r.data) })),
    combine: (answers) => Object.fromEntries(answers.flatMap((x, i) => (x.data ?? []).map((r) => [r.id, titleOf(meta!.entities[asked[i]!.entity]!, r)]))),
  })
}
