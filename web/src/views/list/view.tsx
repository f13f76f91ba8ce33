import './list.css'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ChevronRight } from 'lucide-react'
import { memo, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isEmpty, typeOf } from '@/fields/registry'
import { formatNumber, useLocale, type Locale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import type { Entity, Field, Row } from '@/meta/types'
import { Failure } from '@/ui/basics'
import { GroupTitle } from '../group'
import { levelsOf, stepOf } from '../group/state'
import { useGroups } from '../group/use'
import type { ViewProps } from '../kind'
import { useRows } from '../rows'

/** A line for each record: what it is called, the first of what else is known, its state and sum at the end. */
export default function List({ entity, columns, params, by: { group }, openId, onOpen, onEscape, handle }: ViewProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const narrow = useNarrow()
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  const [focused, setFocused] = useState(false)
  const [[first, last], setRange] = useState<[number, number]>([0, 40])
  const [closed, setClosed] = useState<Set<string>>(new Set())
  const levels = useMemo(() => (group ? levelsOf(entity, [stepOf(group)]) : []), [entity, group])
  useEffect(() => setClosed(new Set()), [levels])
  const flat = useRows(entity.name, params, first, last, !group)
  const groups = useGroups({ entity, levels, params, filter: params.filter ?? undefined, q: params.q, wanted: [], sort: params.sort, locale, first, last, open: closed, inverse: true })
  const total = group ? (groups.heads ? groups.total : 12) : flat.total || (flat.loading ? 12 : 0)
  const row = group ? groups.row : flat.row
  const height = narrow ? 62 : 42

  const virtual = useVirtualizer({ count: total, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 12 })
  useEffect(() => virtual.measure(), [height])
  const items = virtual.getVirtualItems()
  const from = items[0]?.index ?? 0; const to = items.at(-1)?.index ?? 0
  useEffect(() => setRange([from, to]), [from, to])
  useImperativeHandle(handle, () => ({
    focus: () => scroller.current?.focus(),
    step: (rec, way) => { for (let i = from; i < total && i < to + 500; i++) { if (row(i)?.id !== rec) continue; for (let j = i + way; j >= 0 && j < total; j += way) { const next = row(j); if (next) return next } } return undefined },
  }))
  const error = group ? groups.error : flat.error
  if (error) return <Failure error={error} retry={group ? groups.retry : flat.retry} />

  const head = (i: number) => { const s = group ? groups.segmentAt(i) : undefined; return s?.head ? s.node : undefined }
  const toggle = (i: number, open?: boolean) => { const n = head(i); if (n) { const next = new Set(closed); if (open ?? closed.has(n.key)) next.delete(n.key); else next.add(n.key); setClosed(next) } }
  const go = (i: number) => { const at = Math.max(0, Math.min(total - 1, i)); setActive(at); virtual.scrollToIndex(at) }
  const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / height) - 1)
  const keys = (e: React.KeyboardEvent) => {
    if (e.metaKey || e.ctrlKey || e.altKey || e.target !== scroller.current) return
    const n = head(active)
    const open = () => { const r = row(active); if (n) toggle(active); else if (r) onOpen(r) }
    const rtl = document.documentElement.dir === 'rtl'
    const f: Record<string, () => void> = {
      ArrowDown: () => go(active + 1), ArrowUp: () => go(active - 1), PageDown: () => go(active + page), PageUp: () => go(active - page), Home: () => go(0), End: () => go(total - 1),
      ArrowRight: () => toggle(active, !rtl), ArrowLeft: () => toggle(active, rtl), Enter: open, o: open, ' ': () => toggle(active), Escape: onEscape,
    }
    const what = f[e.key.length === 1 ? e.key.toLowerCase() : e.key]
    if (what) { e.preventDefault(); what() }
  }
  return (
    <div ref={scroller} className="flex-1 min-h-0 overflow-auto relative" role={group ? 'treegrid' : 'grid'} tabIndex={0} aria-label={t('list.label', { name: entity.plural })} aria-rowcount={total} aria-activedescendant={total > 0 ? `${id}-${active}` : undefined} style={{ outline: 'none', overscrollBehavior: 'contain' }}
      onKeyDown={keys} onFocus={(e) => setFocused(e.target === scroller.current)} onBlur={() => setFocused(false)}>
      <div role="rowgroup" style={{ height: Math.max(1, virtual.getTotalSize()), position: 'relative' }}>
        {items.map((it) => {
          const n = head(it.index)
          const on = focused && active === it.index
          if (n) {
            const open = !closed.has(n.key)
            return (
              <div key={it.index} className={clsx('l-head', on && 'active')} role="row" aria-level={1} aria-expanded={open} aria-rowindex={it.index + 1} style={{ top: it.start, height }} onClick={() => { setActive(it.index); toggle(it.index) }} onKeyDown={() => {}}>
                <div id={`${id}-${it.index}`} role="gridcell" className="flex items-center gap-2 min-w-0">
                  <ChevronRight size={14} className={clsx('flex-none text-muted', open ? 'rotate-90' : 'rtl:rotate-180')} aria-hidden="true" />
                  <span className="flex min-w-0 font-medium"><GroupTitle node={n} locale={locale} /></span><span className="num text-muted text-xs">{formatNumber(n.sums.count, locale)}</span>
                </div>
              </div>
            )
          }
          const r = row(it.index)
          return <Line key={it.index} id={`${id}-${it.index}`} index={it.index} top={it.start} height={height} row={r} entity={entity} columns={columns} group={group} locale={locale} active={on} open={!!r && r.id === openId} nested={!!group} narrow={narrow} onOpen={onOpen} />
        })}
      </div>
    </div>
  )
}

const Line = memo(function Line({ id, index, top, height, row, entity, columns, group, locale, active, open, nested, narrow, onOpen }: { id: string; index: number; top: number; height: number; row: Row | undefined; entity: Entity; columns: Field[]; group: Field | undefined; locale: Locale; active: boolean; open: boolean; nested: boolean; narrow: boolean; onOpen: (r: Row) => void }) {
  const title = columns.find((f) => f.name === entity.title_field) ?? columns[0]!
  const sum = columns.find((f) => f.type === 'money' && f !== title)
  const state = columns.find((f) => f.name === entity.states?.field && f !== group) ?? columns.find((f) => f !== title && f !== group && f.type === 'select')
  const rest = columns.filter((f) => f !== title && f !== sum && f !== state && f !== group && !f.name.startsWith('currency') && !isEmpty(row?.[f.name])).slice(0, narrow ? 2 : 4)
  const show = (f: Field | undefined) => { if (!f || !row) return null; const { Cell } = typeOf(f); return <Cell field={f} value={row[f.name]} record={row} locale={locale} plain /> }
  return (
    <div className={clsx('l-line', active && 'active', open && 'open')} role="row" aria-rowindex={index + 1} aria-level={nested ? 2 : undefined} data-id={row?.id} style={{ top, height }} onClick={() => row && onOpen(row)} onKeyDown={() => {}}>
      {row ? <>
        <div id={id} role="gridcell" className="l-title">{show(title)}</div>
        <div role="gridcell" className="l-rest">{rest.map((f) => <span key={f.name} title={f.label}>{show(f)}</span>)}</div>
        <div role="gridcell" className="l-end">{show(state)}{sum && <span className="sum">{show(sum)}</span>}</div>
      </> : <div id={id} role="gridcell" className="l-title" aria-busy="true" aria-label="…"><span className="skel" style={{ width: '60%' }} /></div>}
    </div>
  )
})
