import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import * as records from '@/api/records'
import { titlePath } from '@/meta/hooks'
import type { Condition, Entity, Field, Row, Rule } from '@/meta/types'

export const PAGE = 100
const REACH = 100_000

export interface Group { key: string; label: string; n: number; /** The condition on its records. */ rule: Rule | null; from: string | null; to: string | null }
/** A line of the view: the head of a group, or its i-th record. */
export type Line = { group: number; i: number }

const value = (v: unknown): string => (v === null || v === undefined ? '' : String(v))

/** Which groups there are and how large each is: one question, whatever their number. */
export function useGroups(entity: Entity, filter: Condition | null, q: string | undefined, by: Field | undefined, times: { start: Field; end?: Field | undefined }, none: string, yes: string, no: string) {
  const name = by?.name
  const title = by ? titlePath(by) : null
  const answer = useQuery({
    queryKey: ['calendar', entity.name, 'groups', name, filter, q, times.start.name, times.end?.name], staleTime: 20_000, enabled: !!filter,
    // What was there stays until the rest is known.
    placeholderData: keepPreviousData,
    queryFn: () => records.aggregate(entity.name, {
      ...(name ? { group_by: [name, ...(title ? [title] : [])] } : {}), metrics: [{ function: 'count', as: 'n' }, { function: 'min', field: times.start.name, as: 'a' }, { function: 'max', field: (times.end ?? times.start).name, as: 'b' }, { function: 'max', field: times.start.name, as: 'c' }],
      filter, ...(q ? { q } : {}), limit: 1000,
    }).then((r) => ({ rows: r.data, filter: filter! })),
  })
  const groups = useMemo<Group[] | null>(() => {
    if (!answer.data) return null
    const options = by && (entity.states?.field === by.name ? entity.states.options : by.options)
    const all = answer.data.rows.map((r): Group => {
      const v = name ? r[name] : null
      const id = value(v)
      const label = !by ? '' : id === '' ? none : by.type === 'boolean' ? (v === true ? yes : no) : options?.find((o) => o.id === id)?.label ?? (value(title && r[title]) || id)
      const b = [r.b, r.c].filter(Boolean).map(String).sort().at(-1) ?? null
      return { key: id, label, n: Number(r.n ?? 0), from: r.a ? String(r.a) : null, to: b, rule: !by ? null : id === '' ? { field: by.name, operator: 'is_empty' } : by.type === 'boolean' ? { field: by.name, operator: v === true ? 'is_true' : 'is_false' } : { field: by.name, operator: 'equals', value: id } }
    }).filter((g) => g.n > 0)
    const order = (g: Group) => (g.key === '' ? Infinity : options ? options.findIndex((o) => o.id === g.key) : 0)
    return by ? all.sort((a, b) => order(a) - order(b) || a.label.localeCompare(b.label)) : all
  }, [answer.data, by, name, title, entity, none, yes, no])
  return { groups, of: answer.data?.filter ?? null, error: answer.error, retry: () => void answer.refetch() }
}

/** Where every line is, without a list of them: groups and how many lines stand before each. */
export class Lines {
  readonly starts: number[]
  readonly total: number
  constructor(readonly groups: Group[], readonly grouped: boolean, readonly shut: Set<string>) {
    let at = 0
    this.starts = groups.map((g) => { const s = at; at += (grouped ? 1 : 0) + (grouped && shut.has(g.key) ? 0 : Math.min(g.n, REACH)); return s })
    this.total = at
  }
  /** `i` is -1 for the head of a group. */
  line(index: number): Line {
    let low = 0
    let high = this.starts.length - 1
    while (low < high) { const mid = (low + high + 1) >> 1; if (this.starts[mid]! <= index) low = mid; else high = mid - 1 }
    return { group: low, i: index - (this.starts[low] ?? 0) - (this.grouped ? 1 : 0) }
  }
  index(group: number, i: number): number { return this.starts[group]! + i + (this.grouped ? 1 : 0) }
}

/** The pages of records that these lines need; those that were seen stay known. */
export function usePages(entity: string, params: records.ListParams, lines: Lines, first: number, last: number) {
  const wanted = useMemo(() => {
    const out: { group: number; page: number }[] = []
    const b = Math.min(lines.total - 1, last)
    for (let at = first; at <= b;) {
      const { group, i } = lines.line(at)
      if (i < 0) { at++; continue }
      const page = Math.floor(i / PAGE)
      out.push({ group, page })
      at = Math.min(lines.index(group, (page + 1) * PAGE), (lines.starts[group + 1] ?? lines.total))
    }
    return out.slice(0, 40)
  }, [lines, first, last])
  const answers = useQueries({
    queries: wanted.map(({ group, page }) => {
      const g = lines.groups[group]!
      const filter: Condition = { operator: 'AND', rules: [...(params.filter ? [params.filter] : []), ...(g.rule ? [g.rule] : [])] }
      return {
        queryKey: ['calendar', entity, 'bars', { ...params, filter }, page], staleTime: 20_000,
        queryFn: ({ signal }: { signal: AbortSignal }) => records.list(entity, { ...params, filter, limit: PAGE, offset: page * PAGE, count: 'none' }, signal),
      }
    }),
  })
  const known = new Map<string, records.Page>()
  wanted.forEach((w, k) => { const d = answers[k]?.data; if (d) known.set(`${w.group}/${w.page}`, d) })
  return {
    row: (line: Line): Row | undefined => known.get(`${line.group}/${Math.floor(line.i / PAGE)}`)?.data[line.i % PAGE],
    /** All rows at hand, with the index of their line. */
    rows: (): { row: Row; index: number }[] => [...known].flatMap(([k, page]) => { const [g, p] = k.split('/').map(Number) as [number, number]; return page.data.map((row, i) => ({ row, index: lines.index(g, p * PAGE + i) })).filter((x) => x.index < (lines.starts[g + 1] ?? lines.total)) }),
    error: answers.find((a) => a.error)?.error ?? null,
    retry: () => answers.forEach((a) => a.error && void a.refetch()),
  }
}
