import { useQueries } from '@tanstack/react-query'
import * as records from '@/api/records'
import { fieldOf, listFields, titleOf } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { both } from '../pivot/cube'

/** The place of the records that stand under nothing. */
export const ROOT = ''
export const STEP = 100
export interface Level extends records.Page { counts: Record<string, number> }
export interface Node { id: string; row: Row; deep: number; of: string; place: number; size: number; children: number; open: boolean; loading: boolean }
export interface More { of: string; deep: number; shown: number }
export type Line = Node | More
export const isNode = (l: Line): l is Node => 'row' in l

async function level(entity: Entity, parent: Field, of: string, params: records.ListParams, limit: number, signal: AbortSignal): Promise<Level> {
  // A search looks everywhere; what it finds is where the tree begins.
  const searched = of === ROOT && (!!params.q || !!params.filter?.rules.length)
  const filter = searched ? params.filter ?? undefined : both(undefined, [of === ROOT ? { field: parent.name, operator: 'is_empty' } : { field: parent.name, operator: 'equals', value: of }])
  const page = await records.list(entity.name, { ...(filter ? { filter } : {}), ...(searched && params.q ? { q: params.q } : {}), ...(params.sort ? { sort: params.sort } : {}), ...(params.fields ? { fields: params.fields } : {}), limit, count: 'none' }, signal)
  const ids = page.data.map((r) => r.id)
  const counted = ids.length ? await records.aggregate(entity.name, { group_by: [parent.name], metrics: [{ function: 'count', as: 'n' }], filter: { operator: 'AND', rules: [{ field: parent.name, operator: 'in', value: ids }] }, limit: 1000 }) : { data: [] }
  return { ...page, counts: Object.fromEntries(counted.data.map((x) => [String(x[parent.name]), Number(x.n)])) }
}

/** What is open, a question a level; nothing is asked of what stays closed. */
export function useLevels(entity: Entity, parent: Field, asked: records.ListParams, columns: Field[], open: string[], wider: Record<string, number>) {
  const title = entity.title_field ? fieldOf(entity, entity.title_field) : undefined
  const params: records.ListParams = { ...asked, sort: asked.sort ?? (title?.sortable ? `${title.name},id` : 'id'), fields: listFields(entity, [parent, ...columns]) }
  const of = [ROOT, ...open]
  const answers = useQueries({ queries: of.map((id) => ({ queryKey: ['rows', entity.name, { tree: parent.name, of: id, params: id === ROOT ? params : { sort: params.sort, fields: params.fields }, n: wider[id] ?? 1 }], staleTime: 20_000, queryFn: ({ signal }: { signal: AbortSignal }) => level(entity, parent, id, params, Math.min(500, STEP * (wider[id] ?? 1)), signal) })) })
  const levels = new Map<string, Level>()
  of.forEach((id, i) => { const d = answers[i]?.data; if (d) levels.set(id, d) })
  return { levels, error: answers[0]?.error ?? null, loading: !!answers[0]?.isPending, retry: () => void answers[0]?.refetch(), failed: answers.find((a) => a.error)?.error ?? null }
}

/** The lines in sight, from the top down; a record that would stand under itself is told once. */
export function linesOf(levels: Map<string, Level>, open: Set<string>): Line[] {
  const out: Line[] = []
  const seen = new Set<string>()
  const visit = (of: string, deep: number) => {
    const l = levels.get(of)
    if (!l) return
    const rows = l.data.filter((r) => !seen.has(r.id))
    rows.forEach((row, place) => {
      seen.add(row.id)
      const children = l.counts[row.id] ?? 0
      const is = open.has(row.id) && children > 0
      out.push({ id: row.id, row, deep, of, place: place + 1, size: rows.length, children, open: is, loading: is && !levels.has(row.id) })
      if (is) visit(row.id, deep + 1)
    })
    if (l.next) out.push({ of, deep, shown: l.data.length })
  }
  visit(ROOT, 1)
  return out
}
/** Those above a node, as far as they are in sight. */
export function above(lines: Line[], id: string): string[] {
  const by = new Map(lines.filter(isNode).map((n) => [n.id, n]))
  const out: string[] = []
  for (let n = by.get(id); n && n.of !== ROOT && !out.includes(n.of); n = by.get(n.of)) out.push(n.of)
  return out
}
/** Nothing goes under itself or under what stands below it; where it stands already it need not go. */
export const mayGo = (lines: Line[], node: Node, to: string): boolean => to !== node.id && to !== node.of && (to === ROOT || !above(lines, to).includes(node.id))

// ---- drawn as a map -------------------------------------------------------------------------------------------------

export interface Spot { node: Node | null; x: number; y: number; w: number; label: string; side: 1 | -1; hue: number }
export interface Branch { from: Spot; to: Spot }
export const SPOT = 28
const widthOf = (label: string): number => Math.min(220, Math.max(46, label.length * 6.8 + 26))
export const shorten = (s: string): string => (s.length > 28 ? s.slice(0, 27) + '…' : s)

/** Leaves stand in a row, whoever holds them in their middle; or all of it around one point. */
export function drawn(lines: Line[], entity: Entity, look: 'mind' | 'radial'): { spots: Spot[]; branches: Branch[]; box: { x: number; y: number; w: number; h: number } } {
  const nodes = lines.filter(isNode)
  const kids = new Map<string, Node[]>()
  for (const n of nodes) kids.set(n.of, [...(kids.get(n.of) ?? []), n])
  const spots: Spot[] = []
  const branches: Branch[] = []
  const deepest = Math.max(1, ...nodes.map((n) => n.deep))
  const columns = Array.from({ length: deepest + 1 }, (_, d) => (d === 0 ? widthOf(entity.plural) : Math.max(0, ...nodes.filter((n) => n.deep === d).map((n) => widthOf(shorten(titleOf(entity, n.row)))))))
  const starts = columns.map((_, d) => columns.slice(0, d).reduce((a, b) => a + b + 56, 0))
  let row = 0
  let hues = 0
  const leaves = nodes.filter((n) => !n.open || !kids.get(n.id)?.length).length || 1
  const radius = (deep: number) => Math.max(150 * deep, (deep / deepest) * ((leaves * 34) / (2 * Math.PI)))
  const visit = (node: Node | null, deep: number, hue: number): Spot => {
    const label = shorten(node ? titleOf(entity, node.row) : entity.plural)
    const below = (kids.get(node ? node.id : ROOT) ?? []).map((k) => visit(k, deep + 1, deep === 0 ? (hues++ * 47 + 255) % 360 : hue))
    const at = below.length ? (below[0]!.y + below.at(-1)!.y) / 2 : row++
    const spot: Spot = { node, x: starts[deep]!, y: at, w: widthOf(label), label, side: 1, hue }
    spots.push(spot)
    for (const b of below) branches.push({ from: spot, to: b })
    return spot
  }
  visit(null, 0, 265)
  for (const s of spots) {
    const deep = s.node?.deep ?? 0
    if (look === 'mind') { s.y *= SPOT + 12; continue }
    const angle = (s.y / leaves) * Math.PI * 2 - Math.PI / 2
    s.side = deep > 0 && Math.cos(angle) < -0.01 ? -1 : 1
    const r = deep === 0 ? 0 : radius(deep)
    s.x = Math.cos(angle) * r * 1.25 - (deep === 0 ? s.w / 2 : s.side === -1 ? s.w : 0)
    s.y = Math.sin(angle) * r
  }
  const xs = spots.flatMap((s) => [s.x, s.x + s.w])
  const ys = spots.flatMap((s) => [s.y - SPOT / 2, s.y + SPOT / 2])
  const x = Math.min(...xs) - 24
  const y = Math.min(...ys) - 24
  return { spots, branches, box: { x, y, w: Math.max(...xs) + 24 - x, h: Math.max(...ys) + 24 - y } }
}
export function branchPath(b: Branch, look: 'mind' | 'radial'): string {
  const { from, to } = b
  const [x1, x2] = look === 'mind' ? [from.x + from.w, to.x] : [from.x + (from.node === null ? from.w / 2 : from.side === 1 ? from.w : 0), to.side === 1 ? to.x : to.x + to.w]
  const mid = (x1 + x2) / 2
  return `M${x1.toFixed(1)},${from.y.toFixed(1)}C${mid.toFixed(1)},${from.y.toFixed(1)} ${mid.toFixed(1)},${to.y.toFixed(1)} ${x2.toFixed(1)},${to.y.toFixed(1)}`
}
