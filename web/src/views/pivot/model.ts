import { BUCKETS, comparer, gatherAll, groupable, keyOf, readDims, readMeasures, summable, type Base, type Dim, type Fact, type Measure, type Say, type Sum, type Targets } from './cube'
import type { Entity } from '@/meta/types'
import type { Options } from '../state'

export interface Layout { rows: Dim[]; cols: Dim[]; values: Measure[] }
export const DEEP = { rows: 3, cols: 2 }

/** As was chosen; at first what the list shows: who by when, and how much. */
export function layoutOf(e: Entity, targets: Targets, o: Options): Layout {
  const fields = groupable(e)
  const listed = [...e.list.map((n) => fields.find((f) => f.name === n)).filter((f) => !!f), ...fields.filter((f) => !f.system)]
  const first = (...types: string[]) => types.map((x) => listed.find((f) => f.type === x)).find((f) => f)?.name
  const rows = readDims(e, targets, o.rows ?? first('relation', 'select', 'text', 'boolean', 'user') ?? 'created_at:month').slice(0, DEEP.rows)
  const when = first('date', 'datetime')
  const cols = readDims(e, targets, o.cols ?? (when ? `${when}:quarter` : listed.find((f) => f.type === 'select' && f.name !== rows[0]?.field.name)?.name ?? ''), rows).slice(0, DEEP.cols)
  const money = e.document ? e.list.map((n) => summable(e).find((f) => f.name === n && f.type === 'money')).find((f) => f) : undefined
  const values = readMeasures(e, o.values ?? (money ? `sum:${money.name}` : 'count'))
  return { rows, cols, values: values.length ? values : readMeasures(e, 'count') }
}
export const nextBucket = (d: Dim): string => { const i = BUCKETS.indexOf(d.bucket!); return BUCKETS[(i + 1) % BUCKETS.length]! }

const SEP = '\u0001'
const id = (rows: string[], cols: string[]): string => `${rows.join(SEP)}\u0002${cols.join(SEP)}\u0002${rows.length}.${cols.length}`

export interface Node { at: string[]; raw: unknown[]; children: Node[] }
/** A column: how deep it is grouped, where, and which value it shows. Less deep than the groups: a sub-total. */
export interface Leaf { at: string[]; raw: unknown[]; value: number }
export interface Line { node: Node; deep: number; open: boolean }
export interface Pivot { layout: Layout; cells: Map<string, Fact>; root: Node; leaves: Leaf[]; cut: boolean; currencies: number }

/** Cells, sub-totals, totals: every set of groups that the table shows, asked from the server. */
export async function ask(e: Entity, layout: Layout, currency: string | undefined, base: Base): Promise<{ sets: { r: number; c: number }[]; facts: Fact[][]; cut: boolean }> {
  const { rows, cols, values } = layout
  const sets: { r: number; c: number }[] = []
  for (let r = 0; r <= rows.length; r++) for (let c = 0; c <= cols.length; c++) sets.push({ r, c })
  const places = sets.map(({ r, c }) => [...Array.from({ length: r }, (_, i) => i), ...Array.from({ length: c }, (_, i) => rows.length + i)])
  return { sets, ...(await gatherAll(e, places, { dims: [...rows, ...cols], measures: values, currency, base })) }
}

const amount = (f: Fact | undefined, value: number): number | null => { const s = f?.sums[value]; return s?.[0] ? Number(s[0].value) : null }

export function build(layout: Layout, answer: { sets: { r: number; c: number }[]; facts: Fact[][]; cut: boolean }, sort: string, say: Say, states: Entity['states']): Pivot {
  const { rows, cols, values } = layout
  const cells = new Map<string, Fact>()
  answer.sets.forEach(({ r }, i) => { for (const f of answer.facts[i]!) cells.set(id(f.at.slice(0, r), f.at.slice(r)), f) })
  const of = (r: number, c: number): Fact[] => answer.facts[answer.sets.findIndex((s) => s.r === r && s.c === c)] ?? []
  const tree = (dims: Dim[], at: (deep: number) => Fact[]): Node => {
    const root: Node = { at: [], raw: [], children: [] }
    const known = new Map<string, Node>([['', root]])
    for (let deep = 1; deep <= dims.length; deep++) for (const f of at(deep)) {
      const node: Node = { at: f.at.slice(0, deep), raw: f.raw.slice(0, deep), children: [] }
      known.get(f.at.slice(0, deep - 1).join(SEP))?.children.push(node)
      known.set(node.at.join(SEP), node)
    }
    return root
  }
  const root = tree(rows, (d) => of(d, 0))
  const across = tree(cols, (d) => of(0, d))
  const natural = (dims: Dim[]) => { const by = dims.map((d) => comparer(d, say, states)); return (a: Node, b: Node) => by[a.at.length - 1]!(a.raw.at(-1), b.raw.at(-1)) }
  const walk = (n: Node, by: (a: Node, b: Node) => number) => { n.children.sort(by); n.children.forEach((c) => walk(c, by)) }
  if (cols.length) walk(across, natural(cols))
  const leaves: Leaf[] = []
  const visit = (n: Node) => { n.children.forEach(visit); if (n.at.length === cols.length || n.children.length !== 1 || n.at.length === 0) values.forEach((_, value) => leaves.push({ at: n.at, raw: n.raw, value })) }
  visit(across)
  if (rows.length) {
    const usual = natural(rows)
    const key = sort.replace(/^-/, '')
    const leaf = leaves.find((l) => leafId(l, values) === key)
    walk(root, leaf ? (a, b) => {
      const [x, y] = [amount(cells.get(id(a.at, leaf.at)), leaf.value), amount(cells.get(id(b.at, leaf.at)), leaf.value)]
      // What has no value is last, up or down.
      if (x === null || y === null) return Number(x === null) - Number(y === null) || usual(a, b)
      return (sort.startsWith('-') ? y - x : x - y) || usual(a, b)
    } : sort === '-name' ? (a, b) => usual(b, a) : usual)
  }
  let currencies = 1
  for (const f of cells.values()) for (const s of f.sums) currencies = Math.max(currencies, s.length)
  return { layout, cells, root, leaves, cut: answer.cut, currencies }
}
export const leafId = (l: Leaf, values: Measure[]): string => [...l.at, values[l.value]!.id].join('|')
export const cellOf = (p: Pivot, rows: string[], leaf: Leaf): Sum[] => p.cells.get(id(rows, leaf.at))?.sums[leaf.value] ?? []

/** The lines in sight: what is closed keeps its children to itself. */
export function linesOf(p: Pivot, closed: Set<string>): Line[] {
  const out: Line[] = []
  const visit = (n: Node) => n.children.forEach((c) => {
    const open = c.children.length > 0 && !closed.has(c.at.join(SEP))
    out.push({ node: c, deep: c.at.length, open })
    if (open) visit(c)
  })
  visit(p.root)
  return out
}
export const nodeId = (n: Node): string => n.at.join(SEP)

/** How strong each value of a cell is among its like: 0 to 4. Money is compared within one currency. */
export function heatOf(p: Pivot): (sums: Sum[], leaf: Leaf, row: Node) => number | null {
  const { rows, cols, values } = p.layout
  const ends = new Map<string, [number, number]>()
  for (const [k, f] of p.cells) {
    if (!k.endsWith(`\u0002${rows.length}.${cols.length}`)) continue
    values.forEach((_, i) => {
      const s = f.sums[i]
      if (s?.length !== 1) return
      const n = Number(s[0]!.value)
      const e = ends.get(`${i}${s[0]!.currency}`)
      ends.set(`${i}${s[0]!.currency}`, e ? [Math.min(e[0], n), Math.max(e[1], n)] : [n, n])
    })
  }
  return (sums, leaf, row) => {
    if (sums.length !== 1 || leaf.at.length !== cols.length || row.at.length !== rows.length) return null
    const e = ends.get(`${leaf.value}${sums[0]!.currency}`)
    const n = Number(sums[0]!.value)
    if (!e || e[0] === e[1] || !Number.isFinite(n)) return null
    return Math.min(4, Math.floor(((n - e[0]) / (e[1] - e[0])) * 5))
  }
}

/** Heads of the columns, a level at a time: what lies under one name is joined. */
export interface Head { level: number; from: number; span: number; rows: number; leaf: Leaf; total: boolean }
export function headsOf(p: Pivot, from: number, to: number): Head[][] {
  const { cols, values } = p.layout
  const out: Head[][] = cols.map(() => [])
  for (let level = 0; level < cols.length; level++) {
    for (let i = from; i < to;) {
      const leaf = p.leaves[i]!
      if (leaf.at.length < level) { i++; continue }
      const key = leaf.at.slice(0, level + 1).join(SEP)
      const total = leaf.at.length === level
      let j = i
      while (j < to && p.leaves[j]!.at.slice(0, level + 1).join(SEP) === key && (p.leaves[j]!.at.length === level) === total) j++
      out[level]!.push({ level, from: i, span: j - i, rows: total ? cols.length - level : 1, leaf, total })
      i = j
    }
  }
  if (values.length > 1 || cols.length === 0) out.push(Array.from({ length: to - from }, (_, i) => ({ level: cols.length, from: from + i, span: 1, rows: 1, leaf: p.leaves[from + i]!, total: false })))
  return out
}
export { keyOf }
