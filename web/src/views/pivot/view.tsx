import './pivot.css'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { ArrowDown, ArrowLeftRight, ArrowUp, ChevronDown, ChevronRight, Download, Flame, Plus, Printer, X } from 'lucide-react'
import { useEffect, useId, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatNumber } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import type { Rule } from '@/meta/types'
import { Failure, Menu, Popover, Skeleton, type MenuEntry } from '@/ui/basics'
import type { ViewProps } from '../kind'
import { both, BUCKETS, dimLabel, FUNCTIONS, isCurrency, measureLabel, MOST, ruleOf, summable, sumText, valueLabel, type Dim, type Measure, type Sum } from './cube'
import { ask, build, cellOf, DEEP, headsOf, heatOf, layoutOf, leafId, linesOf, nodeId, type Layout, type Leaf, type Line, type Node } from './model'
import { csv, download, GroupOptions, printOnly, useCurrency, useSay, useTable, useTargets } from './parts'

const HEAD = 30
// A table whose cells the arrows walk over.
const GRID = { role: 'grid' }
const SORTED = { up: 'ascending', down: 'descending' } as const

export default function PivotView({ entity, params, options, onOptions, handle, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const say = useSay()
  const { locale } = say
  const narrow = useNarrow()
  const hint = useId()
  const toTable = useTable()
  const targets = useTargets(entity)
  const currency = useCurrency(entity, targets)
  const layout = useMemo(() => (targets ? layoutOf(entity, targets, options) : null), [entity, targets, options.rows, options.cols, options.values])
  const asked = layout && [layout.rows, layout.cols].map((x) => x.map((d) => d.id)).concat([layout.values.map((m) => m.id)])
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ['sums', entity.name, { pivot: asked, currency, filter: params.filter, q: params.q }], enabled: !!layout, staleTime: 20_000, placeholderData: keepPreviousData,
    queryFn: async () => ({ layout: layout!, answer: await ask(entity, layout!, currency, params) }),
  })
  const sort = options.sort ?? ''
  const heated = options.heat !== 'no'
  const [closed, setClosed] = useState<Set<string>>(new Set())
  const pivot = useMemo(() => (data ? build(data.layout, data.answer, sort, say, entity.states) : null), [data, sort, say, entity])
  const lines = useMemo(() => (pivot ? linesOf(pivot, closed) : []), [pivot, closed])
  const heat = useMemo(() => (pivot && heated ? heatOf(pivot) : () => null), [pivot, heated])
  const side = narrow ? 132 : 230
  const high = Math.max(narrow ? 40 : 32, 10 + (pivot?.currencies ?? 1) * 17)

  // ---- what is in sight -------------------------------------------------------------------------------------------
  const scroller = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, left: 0, height: 700, width: 1200 })
  useLayoutEffect(() => {
    const el = scroller.current
    if (!el) return
    // Right to left counts backwards from the start.
    const look = () => setSight({ top: el.scrollTop, left: Math.abs(el.scrollLeft), height: el.clientHeight, width: el.clientWidth })
    look()
    const eye = new ResizeObserver(look)
    eye.observe(el)
    el.addEventListener('scroll', look, { passive: true })
    return () => { eye.disconnect(); el.removeEventListener('scroll', look) }
  }, [!!pivot])
  const count = pivot?.leaves.length ?? 0
  // Few columns fill the place, many keep their width.
  const wide = Math.max(narrow ? 100 : 108, Math.min(190, Math.floor((sight.width - side) / Math.max(1, count))))
  const firstCol = Math.max(0, Math.floor(sight.left / wide) - 2)
  const lastCol = Math.min(count, Math.ceil((sight.left + sight.width - side) / wide) + 2)
  const firstRow = Math.max(0, Math.floor(sight.top / high) - 5)
  const lastRow = Math.min(lines.length, Math.ceil((sight.top + sight.height) / high) + 5)

  // ---- the keyboard's cell: line -1 is the last line, of totals; column -1 is the name of the line ---------------------
  const [at, setAt] = useState<[number, number]>([0, 0])
  const keyed = useRef(false)
  const row = Math.min(at[0], lines.length)
  const col = Math.min(at[1], count - 1)
  const go = (r: number, c: number) => {
    const el = scroller.current
    if (!el) return
    keyed.current = true
    const to: [number, number] = [Math.max(0, Math.min(lines.length, r)), Math.max(-1, Math.min(count - 1, c))]
    const heads = HEAD * (pivot ? headsOf(pivot, 0, 0).length : 1)
    if (to[0] < lines.length) {
      const y = to[0] * high
      if (y < el.scrollTop) el.scrollTop = y
      else if (y + high > el.scrollTop + el.clientHeight - heads - high) el.scrollTop = y + high - (el.clientHeight - heads - high)
    }
    if (to[1] >= 0) {
      const x = to[1] * wide
      const rtl = getComputedStyle(el).direction === 'rtl' ? -1 : 1
      const left = Math.abs(el.scrollLeft)
      if (x < left) el.scrollLeft = x * rtl
      else if (x + wide > left + el.clientWidth - side) el.scrollLeft = (x + wide - el.clientWidth + side) * rtl
    }
    setAt(to)
  }
  useEffect(() => {
    if (!keyed.current) return
    const find = (tries: number) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-at="${row},${col}"]`); if (el) { keyed.current = false; el.focus({ preventScroll: true }) } else if (tries) find(tries - 1) })
    find(8)
  }, [row, col])
  useImperativeHandle(handle, () => ({ focus: () => go(row, col) }))

  const drill = (node: Node | null, leaf: Leaf) => {
    if (!pivot) return
    const { rows, cols } = pivot.layout
    const rules: Rule[] = [...(node?.raw ?? []).map((v, i) => ruleOf(rows[i]!, v, locale.zone)), ...leaf.raw.map((v, i) => ruleOf(cols[i]!, v, locale.zone))]
    toTable(both(params.filter, rules))
  }
  const fold = (node: Node) => setClosed((old) => { const next = new Set(old); const k = nodeId(node); if (!next.delete(k)) next.add(k); return next })
  const whole: Leaf = { at: [], raw: [], value: 0 }
  const keys = (e: React.KeyboardEvent) => {
    if (e.metaKey || e.altKey || (e.target as HTMLElement).closest('thead')) return
    const rtl = getComputedStyle(e.currentTarget).direction === 'rtl'
    const page = Math.max(1, Math.floor(sight.height / high) - 3)
    const line = lines[row]
    const sideways = (by: number) => {
      if (col === -1 && line && line.node.children.length && line.open === (by < 0)) fold(line.node)
      else go(row, col + by)
    }
    const does: Record<string, () => void> = {
      ArrowDown: () => go(row + 1, col), ArrowUp: () => go(row - 1, col), ArrowRight: () => sideways(rtl ? -1 : 1), ArrowLeft: () => sideways(rtl ? 1 : -1),
      Home: () => go(e.ctrlKey ? 0 : row, -1), End: () => go(e.ctrlKey ? lines.length : row, count - 1), PageDown: () => go(row + page, col), PageUp: () => go(row - page, col),
      Enter: () => drill(line?.node ?? null, col < 0 ? whole : pivot!.leaves[col]!), ' ': () => line && line.node.children.length > 0 && fold(line.node), Escape: onEscape,
    }
    const f = does[e.key]
    if (!f) return
    e.preventDefault(); e.stopPropagation()
    f()
  }

  // ---- out ----------------------------------------------------------------------------------------------------------
  const title = layout ? [entity.plural, layout.values.map((m) => measureLabel(m, t)).join(', ')].join(' · ') : entity.plural
  const name = (d: Dim, v: unknown) => valueLabel(d, v, say)
  const headOf = (leaf: Leaf) => [...leaf.raw.map((v, i) => name(pivot!.layout.cols[i]!, v)), ...(leaf.at.length < pivot!.layout.cols.length ? [t('pivot.total')] : []), ...(pivot!.layout.values.length > 1 || !pivot!.layout.cols.length ? [measureLabel(pivot!.layout.values[leaf.value]!, t)] : [])].join(' · ')
  const bare = (sums: Sum[]) => sums.map((s) => (sums.length > 1 && s.currency ? `${s.value} ${s.currency}` : s.value)).join('; ')
  const saveCsv = () => {
    if (!pivot) return
    const { rows } = pivot.layout
    const line = (l: Line | null) => [...(l ? rows.map((d, i) => (i < l.deep ? name(d, l.node.raw[i]) : t('pivot.total'))) : [t('pivot.total'), ...rows.slice(1).map(() => '')]), ...pivot.leaves.map((leaf) => bare(cellOf(pivot, l?.node.at ?? [], leaf)))]
    download(`${entity.plural}.csv`, 'text/csv;charset=utf-8', csv([[...(rows.length ? rows.map((d) => dimLabel(d, t)) : ['']), ...pivot.leaves.map(headOf)], ...lines.map(line), line(null)]))
  }
  const paper = () => {
    if (!pivot) return
    const table = document.createElement('table')
    const add = (into: HTMLElement, cells: string[], tag: 'th' | 'td', deep = 0) => {
      const tr = document.createElement('tr')
      cells.forEach((c, i) => { const el = document.createElement(i ? tag : 'th'); el.setAttribute('scope', i ? 'col' : 'row'); if (tag === 'td' && i) el.removeAttribute('scope'); el.textContent = c; if (!i && deep > 1) el.style.paddingInlineStart = `${deep * 10}px`; tr.append(el) })
      into.append(tr)
    }
    const [head, body] = [document.createElement('thead'), document.createElement('tbody')]
    table.append(head, body)
    const text = (at: string[], leaf: Leaf) => cellOf(pivot, at, leaf).map((s) => sumText(pivot.layout.values[leaf.value]!, s, locale)).join(', ')
    add(head, [pivot.layout.rows.map((d) => dimLabel(d, t)).join(' / '), ...pivot.leaves.map(headOf)], 'th')
    for (const l of lines) add(body, [name(pivot.layout.rows[l.deep - 1]!, l.node.raw.at(-1)), ...pivot.leaves.map((x) => text(l.node.at, x))], 'td', l.deep)
    add(body, [t('pivot.total'), ...pivot.leaves.map((x) => text([], x))], 'td')
    printOnly(table, title)
  }
  // Asked for by the menu or the keys: the whole table, not the part that is drawn.
  const onPaper = useRef(paper)
  onPaper.current = paper
  useEffect(() => {
    const f = (e: Event) => { e.preventDefault(); onPaper.current() }
    addEventListener('fondaco:paper', f)
    return () => removeEventListener('fondaco:paper', f)
  }, [])

  if (error && !data) return <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
  if (!layout || !targets || !pivot) return <Skeleton rows={10} />
  const { cols, values } = pivot.layout
  const heads = headsOf(pivot, firstCol, lastCol)
  const setSort = (key: string) => onOptions({ sort: sort === `-${key}` ? key : sort === key ? '' : `-${key}` })
  const sorter = (leaf: Leaf, label: string) => {
    const key = leafId(leaf, values)
    const way = sort === key ? 'up' : sort === `-${key}` ? 'down' : null
    return <button type="button" className="p-sort" onClick={() => setSort(key)} title={t('pivot.sortBy', { name: headOf(leaf) })}><span>{label}</span>{way && (way === 'up' ? <ArrowUp size={12} aria-hidden="true" /> : <ArrowDown size={12} aria-hidden="true" />)}</button>
  }
  const sorted = (leaf: Leaf) => { const key = leafId(leaf, values); return sort === key ? SORTED.up : sort === `-${key}` ? SORTED.down : undefined }
  const cells = (node: Node | null, r: number, total: boolean) => pivot.leaves.slice(firstCol, lastCol).map((leaf, i) => {
    const c = firstCol + i
    const sums = cellOf(pivot, node?.at ?? [], leaf)
    const warm = node && !total ? heat(sums, leaf, node) : null
    const m = values[leaf.value]!
    return (
      <td key={c} data-at={`${r},${c}`} aria-colindex={c + 2} tabIndex={r === row && c === col ? 0 : -1} className={clsx(warm !== null && `h${warm}`, (leaf.at.length < cols.length || (node && node.children.length > 0)) && 'p-total')} onFocus={() => setAt([r, c])} onClick={() => sums.length && drill(node, leaf)}>
        {sums.length === 1 ? sumText(m, sums[0]!, locale) : sums.map((s) => <span key={s.currency} className="p-sum">{sumText(m, s, locale)}</span>)}
        {warm !== null && <span className="visually-hidden">{t('pivot.heatOf', { level: t(`pivot.heat_${warm}`) })}</span>}
      </td>
    )
  })
  const gap = (n: number, key: string) => n > 0 && <td key={key} className="p-gap" aria-hidden="true" style={{ width: n * wide }} />
  const after = count - lastCol

  return (
    <>
      <div className="p-bar" role="group" aria-label={t('pivot.layout')}>
        <Dims what="rows" layout={layout} entity={entity} targets={targets} onChange={(dims) => onOptions({ rows: dims.join(','), sort: '' })} />
        <button type="button" className="btn ghost icon sm" aria-label={t('pivot.swap')} title={t('pivot.swap')} onClick={() => onOptions({ rows: layout.cols.map((d) => d.id).join(','), cols: layout.rows.slice(0, DEEP.cols).map((d) => d.id).join(','), sort: '' })}><ArrowLeftRight size={14} /></button>
        <Dims what="cols" layout={layout} entity={entity} targets={targets} onChange={(dims) => onOptions({ cols: dims.join(','), sort: '' })} />
        <Values entity={entity} values={layout.values} onChange={(all) => onOptions({ values: all.join(','), sort: '' })} />
        <span className="flex-1" />
        <span className="text-muted text-xs" role="status">{isFetching ? t('loading') : pivot.cut ? t('pivot.cut', { n: formatNumber(MOST, locale) }) : t('pivot.size', { rows: formatNumber(lines.length, locale), cols: formatNumber(count, locale) })}</span>
        <button type="button" className={clsx('btn ghost sm', heated && 'on')} aria-pressed={heated} onClick={() => onOptions({ heat: heated ? 'no' : 'yes' })}><Flame size={14} />{t('pivot.heat')}</button>
        <button type="button" className="btn ghost icon sm" aria-label={t('pivot.csv')} title={t('pivot.csv')} onClick={saveCsv}><Download size={15} /></button>
        <button type="button" className="btn ghost icon sm" aria-label={t('pivot.print')} title={t('pivot.print')} onClick={paper}><Printer size={15} /></button>
      </div>
      <div ref={scroller} className="p-scroll">
        <table {...GRID} aria-label={title} aria-rowcount={lines.length + heads.length + 1} aria-colcount={count + 1} aria-describedby={hint} className="p-table" onKeyDown={keys}
          style={{ '--p-row': `${high}px`, '--p-side': `${side}px`, width: side + count * wide, marginBlockEnd: 0 } as React.CSSProperties}>
          <colgroup>
            <col style={{ width: side }} />
            {firstCol > 0 && <col style={{ width: firstCol * wide }} />}
            {Array.from({ length: lastCol - firstCol }, (_, i) => <col key={i} style={{ width: wide }} />)}
            {after > 0 && <col style={{ width: after * wide }} />}
          </colgroup>
          <thead>
            {heads.map((level, i) => (
              <tr key={i} aria-rowindex={i + 1}>
                {i === 0 && (
                  <th className="p-corner" scope="col" rowSpan={heads.length} style={{ insetBlockStart: 0 }} aria-sort={sort === '-name' ? SORTED.down : sort ? undefined : SORTED.up}>
                    <button type="button" className="p-sort" onClick={() => onOptions({ sort: sort === '' ? '-name' : '' })}><span>{pivot.layout.rows.map((d) => dimLabel(d, t)).join(' / ') || t('pivot.total')}</span>{sort === '' ? <ArrowUp size={12} aria-hidden="true" /> : sort === '-name' ? <ArrowDown size={12} aria-hidden="true" /> : null}</button>
                  </th>
                )}
                {i === 0 && firstCol > 0 && <td className="p-gap" aria-hidden="true" rowSpan={heads.length} />}
                {level.map((h) => {
                  const last = h.level + h.rows >= heads.length
                  const label = h.level === cols.length ? measureLabel(values[h.leaf.value]!, t) : h.total ? t('pivot.total') : name(cols[h.level]!, h.leaf.raw[h.level])
                  return (
                    <th key={h.from} scope={last ? 'col' : 'colgroup'} colSpan={h.span} rowSpan={h.rows} aria-colindex={h.from + 2} aria-sort={last ? sorted(h.leaf) : undefined} className={clsx(!last && 'p-span', h.total && 'p-total')} style={{ insetBlockStart: i * HEAD }} title={label}>
                      {last ? sorter(h.leaf, label) : <span>{label}</span>}
                    </th>
                  )
                })}
                {i === 0 && after > 0 && <td className="p-gap" aria-hidden="true" rowSpan={heads.length} />}
              </tr>
            ))}
          </thead>
          <tbody>
            {firstRow > 0 && <tr aria-hidden="true" style={{ height: firstRow * high }} />}
            {lines.slice(firstRow, lastRow).map((l, i) => {
              const r = firstRow + i
              const d = pivot.layout.rows[l.deep - 1]!
              const label = name(d, l.node.raw.at(-1))
              return (
                <tr key={nodeId(l.node)} aria-rowindex={heads.length + r + 1} aria-level={pivot.layout.rows.length > 1 ? l.deep : undefined}>
                  <th scope="row" data-at={`${r},-1`} tabIndex={r === row && col === -1 ? 0 : -1} onFocus={(e) => e.target === e.currentTarget && setAt([r, -1])} className={clsx(l.node.children.length > 0 && 'p-total')} title={label} aria-expanded={l.node.children.length ? l.open : undefined} style={{ paddingInlineStart: 8 + (l.deep - 1) * 18 }}>
                    <span className="flex items-center gap-1 min-w-0">
                      {l.node.children.length > 0 && <button type="button" tabIndex={-1} className="p-open" aria-label={t(l.open ? 'pivot.close' : 'pivot.open', { name: label })} onClick={() => fold(l.node)}>{l.open ? <ChevronDown size={13} /> : <ChevronRight size={13} className="rtl:scale-x-[-1]" />}</button>}
                      <span className="truncate">{label}</span>
                    </span>
                  </th>
                  {gap(firstCol, 'a')}{cells(l.node, r, false)}{gap(after, 'z')}
                </tr>
              )
            })}
            {lastRow < lines.length && <tr aria-hidden="true" style={{ height: (lines.length - lastRow) * high }} />}
          </tbody>
          <tfoot>
            <tr aria-rowindex={heads.length + lines.length + 1}>
              <th scope="row" data-at={`${lines.length},-1`} tabIndex={row === lines.length && col === -1 ? 0 : -1} onFocus={() => setAt([lines.length, -1])}>{t('pivot.total')}</th>
              {gap(firstCol, 'a')}{cells(null, lines.length, true)}{gap(after, 'z')}
            </tr>
          </tfoot>
        </table>
      </div>
      <p id={hint} className="visually-hidden">{t('pivot.hint')}</p>
    </>
  )
}

function Dims({ what, layout, entity, targets, onChange }: { what: 'rows' | 'cols'; layout: Layout; entity: ViewProps['entity']; targets: NonNullable<ReturnType<typeof useTargets>>; onChange: (ids: string[]) => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const dims = layout[what]
  const ids = dims.map((d) => d.id)
  const moved = (i: number, by: number) => { const next = [...ids]; next.splice(i + by, 0, ...next.splice(i, 1)); return next }
  return (
    <span className="inline-flex items-center gap-1.5">
      <span className="p-name">{t(`pivot.${what}`)}</span>
      {dims.map((d, i) => {
        const items: MenuEntry[] = [
          ...(d.bucket ? BUCKETS.map((b) => ({ label: t(`pivot.step_${b}`), checked: d.bucket === b, onSelect: () => onChange(ids.map((x, j) => (j === i ? `${x.split(':')[0]}:${b}` : x))) })) : []),
          d.bucket && 'rule',
          i > 0 && { label: t('pivot.outer'), onSelect: () => onChange(moved(i, -1)) },
          i < dims.length - 1 && { label: t('pivot.inner'), onSelect: () => onChange(moved(i, 1)) },
          { label: t('remove'), icon: <X size={14} />, onSelect: () => onChange(ids.filter((_, j) => j !== i)) },
        ]
        return <Menu key={d.id} items={items} trigger={<button type="button" className="p-chip">{dimLabel(d, t)}<ChevronDown size={12} aria-hidden="true" /></button>} />
      })}
      {dims.length < DEEP[what] && (
        <Popover open={open} onOpenChange={setOpen} width={260} label={t(`pivot.add_${what}`)} trigger={<button type="button" className="btn ghost icon sm" aria-label={t(`pivot.add_${what}`)} title={t(`pivot.add_${what}`)}><Plus size={14} /></button>}>
          <div className="p-1.5">
            <select className="input" aria-label={t(`pivot.add_${what}`)} value="" onChange={(e) => { setOpen(false); onChange([...ids, e.target.value]) }}>
              <option value="">{t('choose')}</option>
              <GroupOptions entity={entity} targets={targets} />
            </select>
          </div>
        </Popover>
      )}
    </span>
  )
}

function Values({ entity, values, onChange }: { entity: ViewProps['entity']; values: Measure[]; onChange: (ids: string[]) => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const ids = values.map((m) => m.id)
  const fields = summable(entity).filter((f) => !isCurrency(f) && !f.system)
  return (
    <span className="inline-flex items-center gap-1.5">
      <span className="p-name">{t('pivot.values')}</span>
      {values.map((m) => <span key={m.id} className="p-chip">{measureLabel(m, t)}{values.length > 1 && <button type="button" className="p-open" style={{ width: 20, height: 24 }} aria-label={t('removeNamed', { name: measureLabel(m, t) })} onClick={() => onChange(ids.filter((x) => x !== m.id))}><X size={12} /></button>}</span>)}
      {values.length < 6 && (
        <Popover open={open} onOpenChange={setOpen} width={280} label={t('pivot.add_values')} trigger={<button type="button" className="btn ghost icon sm" aria-label={t('pivot.add_values')} title={t('pivot.add_values')}><Plus size={14} /></button>}>
          <div className="p-1.5">
            <select className="input" aria-label={t('pivot.add_values')} value="" onChange={(e) => { setOpen(false); onChange([...ids, e.target.value]) }}>
              <option value="">{t('choose')}</option>
              {!ids.includes('count') && <option value="count">{t('pivot.fn_count')}</option>}
              {fields.map((f) => <optgroup key={f.name} label={f.label}>{FUNCTIONS.filter((fn) => !ids.includes(`${fn}:${f.name}`)).map((fn) => <option key={fn} value={`${fn}:${f.name}`}>{t(`pivot.fn_${fn}`, { name: f.label })}</option>)}</optgroup>)}
            </select>
          </div>
        </Popover>
      )}
    </span>
  )
}
