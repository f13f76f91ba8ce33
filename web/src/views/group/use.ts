import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import type * as records from '@/api/records'
import { queryClient } from '@/api/session'
import type { Locale } from '@/lib/format'
import type { Condition, Entity, Row } from '@/meta/types'
import { PAGE, pageQuery, REACH } from '../rows'
import { sorts } from '../state'
import { sums, type Sums, type Wanted } from '../totals'
import { filterFor, ordered, titleIn, valueOf, type Level } from './state'

export interface Node { path: unknown[]; key: string; level: Level; value: unknown; title: string | undefined; sums: Sums }
export type Segment = { start: number; length: number; node: Node; head: boolean }
export const MOST = 1000
const keyOf = (path: unknown[]): string => JSON.stringify(path)

interface Asked { entity: Entity; levels: Level[]; params: records.ListParams; filter: Condition | undefined; q: string | undefined; wanted: Wanted[]; sort: string | undefined; locale: Locale; first: number; last: number; open: Set<string>; /** What is named is closed, all else open: of one level only. */ inverse?: boolean }

/** Records in groups: their heads from sums, their rows page by page, only of those that are open and in sight. */
export function useGroups({ entity, levels, params, filter, q, wanted, sort, locale, first, last, open, inverse = false }: Asked) {
  const directions = sorts(sort)

  const isOpen = (path: unknown[]) => path.every((_, i) => open.has(keyOf(path.slice(0, i + 1))))
  const asked = !levels.length ? [] : [[], ...(inverse ? [] : [...open].map((k) => JSON.parse(k) as unknown[])).filter((path) => path.length < levels.length && isOpen(path))]
  const answers = useQueries({ queries: asked.map((path) => {
    const level = levels[path.length]!
    const within = path.length || filter ? filterFor(levels, path, filter) : undefined
    return {
      queryKey: ['sums', entity.name, { by: level.ask, within, q, wanted: wanted.map((w) => [w.field.name, w.fn]) }], staleTime: 20_000,
      queryFn: async (): Promise<Node[]> => {
        const { keys, of } = await sums(entity, wanted, [level.ask], within, q, MOST)
        return keys.map((k) => { const value = valueOf(k[level.key]); return { path: [...path, value], key: keyOf([...path, value]), level, value, title: titleIn(k[level.key]), sums: of(k) } })
      },
    }
  }) })
  const children = new Map(asked.map((path, i) => [keyOf(path), answers[i]?.data]))
  const known = answers.map((a) => a.dataUpdatedAt).join() + [...open].join()
  const segments = useMemo(() => {
    const out: Segment[] = []
    let at = 0
    const add = (length: number, node: Node, head: boolean) => { out.push({ start: at, length, node, head }); at += length }
    const walk = (path: unknown[]) => {
      const level = levels[path.length]!
      const down = directions.some((s) => s.name === level.field.name && s.down)
      for (const node of ordered(children.get(keyOf(path)) ?? [], level, down, locale.locale)) {
        add(1, node, true)
        if (open.has(node.key) === inverse) continue
        if (node.path.length === levels.length) add(Math.min(node.sums.count, REACH), node, false)
        else if (children.get(node.key)) walk(node.path)
        else add(1, node, false)
      }
    }
    if (levels.length) walk([])
    return out
  }, [known, levels, sort, locale, inverse])
  const total = segments.length ? segments.at(-1)!.start + segments.at(-1)!.length : 0
  const segmentAt = (i: number): Segment | undefined => {
    let a = 0; let b = segments.length - 1
    while (a < b) { const m = (a + b + 1) >> 1; if (segments[m]!.start <= i) a = m; else b = m - 1 }
    const s = segments[a]
    return s && i >= s.start && i < s.start + s.length ? s : undefined
  }

  // Rows: only the pages in sight of the groups that are open.
  const paramsOf = (node: Node): records.ListParams => ({ ...params, filter: filterFor(levels, node.path, filter) })
  const pages: { node: Node; page: number }[] = []
  for (const s of segments) {
    if (s.head || s.node.path.length < levels.length || s.start > last || s.start + s.length <= first) continue
    const from = Math.floor((Math.max(first, s.start) - s.start) / PAGE); const to = Math.floor((Math.min(last, s.start + s.length - 1) - s.start) / PAGE)
    for (let page = from; page <= to && pages.length < 12; page++) pages.push({ node: s.node, page })
  }
  const loaded = useQueries({ queries: pages.map(({ node, page }) => pageQuery(entity.name, paramsOf(node), page)) })
  const byPage = new Map(pages.map((x, i) => [`${x.node.key}|${x.page}`, loaded[i]?.data]))
  const row = (i: number): Row | undefined => {
    const s = segmentAt(i)
    if (!s || s.head || s.node.path.length < levels.length) return undefined
    const at = i - s.start; const page = Math.floor(at / PAGE)
    return (byPage.get(`${s.node.key}|${page}`) ?? queryClient.getQueryData<records.Page>(pageQuery(entity.name, paramsOf(s.node), page).queryKey))?.data[at % PAGE]
  }
  const range = async (a: number, b: number): Promise<Row[]> => {
    const out: Row[] = []
    for (const s of segments) {
      if (s.head || s.node.path.length < levels.length || s.start > b || s.start + s.length <= a) continue
      const from = Math.max(a, s.start) - s.start; const to = Math.min(b, s.start + s.length - 1) - s.start
      for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) {
        const d = await queryClient.ensureQueryData(pageQuery(entity.name, paramsOf(s.node), page))
        out.push(...d.data.filter((_, i) => page * PAGE + i >= from && page * PAGE + i <= to))
      }
    }
    return out
  }
  const failed = [...answers, ...loaded].filter((a) => a.error)
  return { segmentAt, segments, total, row, range, heads: children.get('[]'), error: failed[0]?.error, retry: () => failed.forEach((a) => void a.refetch()), isOpen: (n: Node) => open.has(n.key) !== inverse }
}
