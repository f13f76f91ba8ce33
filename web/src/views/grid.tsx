import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { memo, useCallback, useEffect, useId, useImperativeHandle, useMemo, useRef, useState, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { currencyOf, typeOf } from '@/fields/registry'
import { useLocale, type Locale } from '@/lib/format'
import { editable } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { CellEditor, type Leave } from './cell-editor'
import { sorts, type ViewHandle } from './state'

export interface Selection { ids: Set<string>; all: boolean }
interface Editing { id: string; field: string; typed?: string; start?: { value: unknown } }
interface Props {
  entity: Entity
  columns: Field[]
  widths: Record<string, number>
  sort: string | undefined
  total: number
  row: (i: number) => Row | undefined
  onRange: (first: number, last: number) => void
  selection: Selection
  onSelect: (s: Selection) => void
  range: (a: number, b: number) => Promise<Row[]>
  onSort: (name: string, add: boolean) => void
  onWidth: (name: string, width: number) => void
  onOpen: (row: Row) => void
  onEscape: () => void
  onEdit: (row: Row, field: Field, value: unknown) => Promise<boolean>
  openId: string | undefined
  cards: boolean
  handle: RefObject<ViewHandle | null>
}

const INLINE = new Set(['text', 'textarea', 'email', 'phone', 'url', 'number', 'integer', 'money', 'percent', 'quantity', 'date', 'datetime', 'select', 'relation', 'user', 'tags', 'uuid'])
const SELECT_WIDTH = 40
const HEAD = 32

export function Grid(p: Props) {
  const { t } = useTranslation()
  const locale = useLocale()
  const scroller = useRef<HTMLDivElement>(null)
  const id = useId()
  const [active, setActive] = useState<{ r: number; c: number }>({ r: 0, c: 0 })
  const [editing, setEditing] = useState<Editing | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const [drag, setDrag] = useState<{ name: string; width: number } | null>(null)
  const [focused, setFocused] = useState(false)
  const anchor = useRef(0)
  const height = p.cards ? 62 : 34

  const virtual = useVirtualizer({ count: p.total, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 10, scrollMargin: p.cards ? 0 : HEAD, scrollPaddingStart: p.cards ? 0 : HEAD, scrollPaddingEnd: 4 })
  useEffect(() => virtual.measure(), [height])
  const items = virtual.getVirtualItems()
  const first = items[0]?.index ?? 0
  const last = items.at(-1)?.index ?? 0
  useEffect(() => p.onRange(first, last), [first, last])
  useEffect(() => { if (!p.cards && document.activeElement === document.body) scroller.current?.focus({ preventScroll: true }) }, [])
  useImperativeHandle(p.handle, () => ({ focus: () => scroller.current?.focus() }))
  useEffect(() => { if (active.r >= p.total && p.total > 0) setActive((a) => ({ ...a, r: p.total - 1 })) }, [p.total])

  // A column of short texts, or of none, is narrow: measured once, over the first rows that came.
  const loaded = !!p.row(0)
  const fitting = useMemo(() => Object.fromEntries(!loaded ? [] : p.columns.flatMap((f) => {
    const longest = Math.max(...Array.from({ length: Math.min(30, p.total) }, (_, i) => String(p.row(i)?.[f.name] ?? '').length))
    // An empty column is as wide as its name; what is no text has its own measure.
    return f.name === p.entity.title_field || (longest > 0 && f.type !== 'text') ? [] : [[f.name, Math.max(80, Math.min(typeOf(f).width, Math.max(longest, f.label.length + 2) * 8 + 20))]]
  })), [p.columns, p.entity, loaded])
  const widthOf = useCallback((f: Field) => (drag?.name === f.name ? drag.width : p.widths[f.name] ?? fitting[f.name] ?? typeOf(f).width + (f.name === p.entity.title_field ? 50 : 0)), [p.widths, drag, p.entity, fitting])
  const widths = useMemo(() => p.columns.map(widthOf), [p.columns, widthOf])
  const whole = widths.reduce((n, w) => n + w, SELECT_WIDTH)
  const canEdit = useCallback((f: Field) => p.entity.can.update && editable(f) && f.name !== p.entity.states?.field, [p.entity])

  const go = (r: number, c: number) => {
    const row = Math.max(p.cards ? 0 : -1, Math.min(p.total - 1, r))
    setActive({ r: row, c: Math.max(0, Math.min(p.columns.length - 1, c)) })
    if (row >= 0) virtual.scrollToIndex(row)
    // The column too: the sticky first one must not hide it.
    const el = scroller.current
    if (el && !p.cards) {
      const col = Math.max(0, Math.min(p.columns.length - 1, c))
      const start = SELECT_WIDTH + widths.slice(0, col).reduce((n, w) => n + w, 0)
      const sticky = SELECT_WIDTH + (widths[0] ?? 0)
      if (col > 0) {
        const x = Math.abs(el.scrollLeft)
        const dir = getComputedStyle(el).direction === 'rtl' ? -1 : 1
        if (start - x < sticky) el.scrollLeft = dir * (start - sticky)
        else if (start + (widths[col] ?? 0) - x > el.clientWidth) el.scrollLeft = dir * (start + (widths[col] ?? 0) - el.clientWidth)
      }
    }
  }
  const beginEdit = (r: number, c: number, typed?: string) => {
    const row = p.row(r); const f = p.columns[c]
    if (!row || !f) return
    if (!canEdit(f)) { p.onOpen(row); return }
    if (f.type === 'boolean') { void p.onEdit(row, f, row[f.name] !== true); return }
    if (!INLINE.has(f.type)) { p.onOpen(row); return }
    setFailed(null)
    setEditing(typed === undefined ? { id: row.id, field: f.name } : { id: row.id, field: f.name, typed })
  }
  const commit = useCallback((row: Row, f: Field, value: unknown, leave: Leave) => {
    setEditing(null)
    scroller.current?.focus({ preventScroll: true })
    setActive((a) => {
      const c = leave === 'next' ? Math.min(p.columns.length - 1, a.c + 1) : leave === 'back' ? Math.max(0, a.c - 1) : a.c
      const r = leave === 'down' ? Math.min(p.total - 1, a.r + 1) : leave === 'up' ? Math.max(0, a.r - 1) : a.r
      if (r !== a.r) virtual.scrollToIndex(r)
      return { r, c }
    })
    const before = row[f.name] ?? null
    if (JSON.stringify(before) === JSON.stringify(value ?? null)) return
    void p.onEdit(row, f, value ?? null).then((ok) => {
      // A refused value is not swallowed: the cell is marked, and Enter brings back what was typed.
      if (!ok) { setFailed(`${row.id}|${f.name}`); lost.current.set(`${row.id}|${f.name}`, value) }
      else { setFailed((now) => (now === `${row.id}|${f.name}` ? null : now)); lost.current.delete(`${row.id}|${f.name}`) }
    })
  }, [p.columns, p.total, p.onEdit])
  const lost = useRef(new Map<string, unknown>())

  const toggle = (i: number, withRange: boolean) => {
    if (withRange) {
      const a = Math.min(anchor.current, i)
      void p.range(a, Math.max(anchor.current, i)).then((rows) => p.onSelect({ all: false, ids: new Set([...p.selection.ids, ...rows.map((r) => r.id)]) }))
      return
    }
    anchor.current = i
    const row = p.row(i)
    if (!row) return
    const ids = new Set(p.selection.all ? [] : p.selection.ids)
    if (ids.has(row.id)) ids.delete(row.id); else ids.add(row.id)
    p.onSelect({ all: false, ids })
  }
  const api = useRef({ toggle, beginEdit, go, open: p.onOpen, commit, cancel: () => {} })
  api.current = { toggle, beginEdit, go, open: p.onOpen, commit, cancel: () => { setEditing(null); scroller.current?.focus({ preventScroll: true }) } }

  const keys = (e: React.KeyboardEvent) => {
    if (editing || (e.target as HTMLElement).closest('.g-cell.editing')) return
    const { r, c } = active
    const row = p.row(r)
    const mod = e.metaKey || e.ctrlKey
    const page = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 400) - HEAD) / height) - 1)
    const handled: Record<string, () => void> = {
      ArrowDown: () => { if (e.shiftKey && r >= 0) { toggle(Math.min(p.total - 1, r + 1), true) } go(mod ? p.total - 1 : r + 1, c) },
      ArrowUp: () => { if (e.shiftKey && r > 0) { toggle(r - 1, true) } go(mod ? 0 : r - 1, c) },
      ArrowLeft: () => (e.altKey && r < 0 ? nudge(-16) : go(r, c - 1)), ArrowRight: () => (e.altKey && r < 0 ? nudge(16) : go(r, c + 1)),
      Home: () => go(mod ? 0 : r, 0), End: () => go(mod ? p.total - 1 : r, p.columns.length - 1),
      PageDown: () => go(r + page, c), PageUp: () => go(Math.max(0, r - page), c),
      Enter: () => {
        if (r < 0) { const f = p.columns[c]; if (f?.sortable) p.onSort(f.name, e.shiftKey); return }
        const f = p.columns[c]
        if (!row || !f) return
        const kept = lost.current.get(`${row.id}|${f.name}`)
        if (kept !== undefined && canEdit(f) && INLINE.has(f.type)) { setFailed(null); setEditing({ id: row.id, field: f.name, start: { value: kept } }); return }
        if (p.cards) p.onOpen(row); else beginEdit(r, c)
      },
      F2: () => beginEdit(r, c),
      ' ': () => { if (r >= 0) toggle(r, e.shiftKey) },
      o: () => { if (row) p.onOpen(row) },
      Escape: () => p.onEscape(),
    }
    const nudge = (by: number) => { const f = p.columns[c]; if (f) p.onWidth(f.name, Math.max(56, widthOf(f) + by)) }
    if (mod && e.key.toLowerCase() === 'a') { e.preventDefault(); p.onSelect({ ids: new Set(), all: true }); return }
    if (mod && e.key.toLowerCase() === 'c') {
      const f = p.columns[c]
      if (row && f && !getSelection()?.toString()) { e.preventDefault(); void navigator.clipboard?.writeText(typeOf(f).format(row[f.name], f, locale, currencyOf(f, row))) }
      return
    }
    if (mod && !['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(e.key)) return
    const f = handled[e.key.length === 1 ? e.key.toLowerCase() : e.key]
    if (f) { e.preventDefault(); f(); return }
    const field = p.columns[c]
    if (/^[\d.,-]$/.test(e.key) && r >= 0 && field && typeOf(field).align === 'end' && canEdit(field)) { e.preventDefault(); beginEdit(r, c, e.key) }
  }

  const grip = (e: React.PointerEvent, f: Field) => {
    e.preventDefault(); e.stopPropagation()
    const x = e.clientX; const w = widthOf(f)
    const dir = getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1
    let width = w
    const move = (m: PointerEvent) => { width = Math.max(56, Math.round(w + dir * (m.clientX - x))); setDrag({ name: f.name, width }) }
    const up = () => { removeEventListener('pointermove', move); removeEventListener('pointerup', up); setDrag(null); if (width !== w) p.onWidth(f.name, width) }
    addEventListener('pointermove', move); addEventListener('pointerup', up)
  }

  const keysOf = sorts(p.sort)
  const cell = (r: number, c: number) => `${id}-${r}-${c}`
  const everything = p.selection.all || (p.total > 0 && p.selection.ids.size >= p.total)
  return (
    <div ref={scroller} className="grid-scroll flex-1 min-h-0" role="grid" tabIndex={0} aria-label={p.entity.plural} aria-rowcount={p.total + 1} aria-colcount={p.columns.length + 1} aria-multiselectable="true"
      aria-activedescendant={p.total > 0 || active.r < 0 ? cell(active.r, active.c) : undefined} style={{ outline: 'none' }}
      onKeyDown={keys} onFocus={(e) => setFocused(e.target === scroller.current)} onBlur={() => setFocused(false)}>
      {!p.cards && (
        <div className="g-head" role="row" aria-rowindex={1} style={{ width: whole, minWidth: '100%' }}>
          <div role="columnheader" className="g-cell sel sticky" aria-colindex={1} style={{ width: SELECT_WIDTH, insetInlineStart: 0 }}>
            <input type="checkbox" tabIndex={-1} aria-label={t('selectAll')} checked={everything} ref={(el) => { if (el) el.indeterminate = !everything && p.selection.ids.size > 0 }} onChange={() => p.onSelect({ ids: new Set(), all: !everything })} />
          </div>
          {p.columns.map((f, c) => {
            const at = keysOf.findIndex((s) => s.name === f.name)
            const s = keysOf[at]
            return (
              <div key={f.name} id={cell(-1, c)} role="columnheader" aria-colindex={c + 2} aria-sort={s ? (s.down ? 'descending' : 'ascending') : f.sortable ? 'none' : undefined}
                className={clsx('g-cell', typeOf(f).align, c === 0 && 'sticky', focused && active.r === -1 && active.c === c && 'active')} style={{ width: widths[c], ...(c === 0 ? { insetInlineStart: SELECT_WIDTH } : {}), ...(f.sortable ? { cursor: 'pointer' } : {}) }}
                title={f.help ?? undefined} onClick={(e) => f.sortable && p.onSort(f.name, e.shiftKey)} onKeyDown={() => {}}>
                <span className="txt">{f.label}</span>
                {s && <span className="flex ms-1 text-fg" aria-hidden="true">{s.down ? <ArrowDown size={12} /> : <ArrowUp size={12} />}{keysOf.length > 1 && <sup className="text-[9px]">{at + 1}</sup>}</span>}
                <span className="g-grip" aria-hidden="true" onPointerDown={(e) => grip(e, f)} onClick={(e) => e.stopPropagation()} />
              </div>
            )
          })}
        </div>
      )}
      <div role="rowgroup" style={{ height: Math.max(virtual.getTotalSize(), 1), position: 'relative', width: p.cards ? undefined : whole, minWidth: '100%' }}>
        {items.map((it) => {
          const row = p.row(it.index)
          const top = it.start - (p.cards ? 0 : HEAD)
          const on = active.r === it.index
          return p.cards
            ? <Card key={it.index} index={it.index} top={top} row={row} columns={p.columns} entity={p.entity} locale={locale} id={cell(it.index, 0)} active={on && focused} api={api} />
            : <GridRow key={it.index} index={it.index} top={top} row={row} columns={p.columns} widths={widths} whole={whole} titleField={p.entity.title_field} locale={locale}
                activeCol={on && (focused || (editing && row?.id === editing.id)) ? active.c : -1} selected={!!row && (p.selection.all || p.selection.ids.has(row.id))} opened={!!row && row.id === p.openId}
                editing={row && editing?.id === row.id ? editing : null} failed={row && failed?.startsWith(row.id + '|') ? failed.slice(row.id.length + 1) : null} cellId={id} api={api} label={t('selectRow')} />
        })}
      </div>
    </div>
  )
}

type Api = RefObject<{ toggle: (i: number, range: boolean) => void; beginEdit: (r: number, c: number, typed?: string) => void; go: (r: number, c: number) => void; open: (row: Row) => void; commit: (row: Row, f: Field, v: unknown, go: Leave) => void; cancel: () => void }>

const GridRow = memo(function GridRow({ index, top, row, columns, widths, whole, titleField, locale, activeCol, selected, opened, editing, failed, cellId, api, label }: {
  index: number; top: number; row: Row | undefined; columns: Field[]; widths: number[]; whole: number; titleField: string | null; locale: Locale; activeCol: number; selected: boolean; opened: boolean; editing: Editing | null; failed: string | null; cellId: string; api: Api; label: string
}) {
  return (
    <div className="g-row" role="row" aria-rowindex={index + 2} aria-selected={selected} style={{ top, width: whole, minWidth: '100%', ...(opened && !selected ? { background: 'var(--hover)' } : {}) }} data-id={row?.id}>
      <div role="gridcell" className="g-cell sel sticky" aria-colindex={1} style={{ width: SELECT_WIDTH, insetInlineStart: 0 }}>
        <input type="checkbox" tabIndex={-1} aria-label={label} checked={selected} onChange={() => {}} onClick={(e) => { e.stopPropagation(); api.current.toggle(index, e.shiftKey) }} />
      </div>
      {columns.map((f, c) => {
        const type = typeOf(f)
        const isEditing = editing?.field === f.name && row
        return (
          <div key={f.name} id={`${cellId}-${index}-${c}`} role="gridcell" aria-colindex={c + 2} aria-invalid={failed === f.name || undefined} data-field={f.name}
            className={clsx('g-cell', type.align, f.name === titleField && 'title', c === 0 && 'sticky', activeCol === c && 'active', isEditing && 'editing', failed === f.name && 'failed')}
            style={{ width: widths[c], ...(c === 0 ? { insetInlineStart: SELECT_WIDTH } : {}) }}
            onMouseDown={(e) => { if (!isEditing && e.button === 0 && !(e.target as HTMLElement).closest('a')) { api.current.go(index, c) } }}
            onClick={() => { if (f.name === titleField && row && !isEditing) api.current.open(row) }}
            onDoubleClick={() => api.current.beginEdit(index, c)}>
            {!row ? <span className="skel" style={{ width: '60%' }} />
              : isEditing ? <CellEditor field={f} row={row} typed={editing.typed} start={editing.start} onCommit={(v, go) => api.current.commit(row, f, v, go)} onCancel={() => api.current.cancel()} />
                : <type.Cell field={f} value={row[f.name]} record={row} locale={locale} />}
          </div>
        )
      })}
    </div>
  )
})

/** A phone's row: the name and one more line, the sum and the state at its end. */
const Card = memo(function Card({ index, top, row, columns, entity, locale, id, active, api }: { index: number; top: number; row: Row | undefined; columns: Field[]; entity: Entity; locale: Locale; id: string; active: boolean; api: Api }) {
  const title = columns.find((f) => f.name === entity.title_field) ?? columns[0]
  const sum = columns.find((f) => f.type === 'money') ?? columns.find((f) => f !== title && typeOf(f).align === 'end')
  const state = columns.find((f) => f.name === entity.states?.field) ?? columns.find((f) => f !== title && f.type === 'select')
  const second = columns.find((f) => f !== title && f !== sum && f !== state)
  const show = (f: Field | undefined) => { if (!f || !row) return null; const { Cell } = typeOf(f); return <Cell field={f} value={row[f.name]} record={row} locale={locale} /> }
  return (
    <div className={clsx('g-row g-card', active && 'active')} role="row" aria-rowindex={index + 2} style={{ top, width: '100%', height: 62, padding: '0 16px', cursor: 'pointer' }} onClick={() => row && api.current.open(row)} onKeyDown={() => {}}>
      <div id={id} role="gridcell" className="flex-1 min-w-0 flex flex-col gap-1 overflow-hidden">{row ? <><span className="font-medium truncate flex">{show(title)}</span><span className="text-muted truncate flex">{show(second)}</span></> : <span className="skel" style={{ width: '60%' }} />}</div>
      <div role="gridcell" className="flex flex-col items-end gap-1 num flex-none">{show(sum)}{show(state)}</div>
    </div>
  )
})
