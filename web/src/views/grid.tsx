import './grid.css'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ArrowDown, ArrowUp, ChevronDown } from 'lucide-react'
import { memo, useCallback, useEffect, useId, useImperativeHandle, useMemo, useRef, useState, type ReactNode, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { withWords } from '@/i18n'
import { toast } from '@/lib/toast'
import { useLocale, type Locale } from '@/lib/format'
import { editable } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { CellEditor, type Leave } from './cell-editor'
import { sorts, type ViewHandle } from './state'

export interface Selection { ids: Set<string>; all: boolean }
export interface Rect { r1: number; r2: number; c1: number; c2: number }
/** Why a cell was not taken, and what had been put there. */
export interface Bad { message: string; value?: unknown }
/** What colours a row and its cells, and why. */
export interface Paint { row?: string; cells: Record<string, string>; why: string }
/** What a block of cells is copied from and put into. */
export interface Sheet {
  entity: Entity; columns: Field[]; locale: Locale; total: number; rect: Rect
  row: (i: number) => Row | undefined
  range: (a: number, b: number) => Promise<Row[]>
  canEdit: (f: Field) => boolean
  mark: (id: string, bad: Record<string, Bad | null>) => void
  select: (rect: Rect) => void
  show: (dialog: ReactNode) => void
}
export interface HeadProps { index: number; top: number; height: number; id: string; whole: number; widths: number[]; columns: Field[]; active: boolean; cards: boolean }
/** Lines that are no records: the heads of groups. */
export interface Groups { levels: number; open: (i: number) => boolean | undefined; toggle: (i: number, to?: boolean) => void; renderHead: (x: HeadProps) => ReactNode }
/** A menu of a column, or of one of its cells. */
export interface MenuAt { field: Field; column: number; row?: Row; at: DOMRect; do: (what: 'copy' | 'paste' | 'fill' | 'clear' | 'edit') => void; canEdit: boolean }
interface Editing { id: string; field: string; typed?: string; start?: { value: unknown } }
export interface GridProps {
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
  frozen: number
  onMove: (name: string, to: number) => void
  onMenu: (menu: MenuAt) => void
  onFilterBy: (row: Row, field: Field) => void
  paint?: ((row: Row) => Paint | null) | undefined
  groups?: Groups | undefined
  renderFoot?: ((x: { widths: number[]; whole: number; lefts: number[]; index: number }) => ReactNode) | undefined
  onOpen: (row: Row) => void
  onEscape: () => void
  /** True, or why not. */
  onEdit: (row: Row, field: Field, value: unknown) => Promise<true | string>
  openId: string | undefined
  cards: boolean
  handle: RefObject<ViewHandle | null>
}

const INLINE = new Set(['text', 'textarea', 'email', 'phone', 'url', 'number', 'integer', 'money', 'percent', 'quantity', 'date', 'datetime', 'select', 'relation', 'user', 'tags', 'uuid', 'rating', 'duration', 'color', 'country', 'timezone', 'barcode', 'time'])
export const SELECT_WIDTH = 40
const HEAD = 32
const loadSheet = () => withWords(() => import('./sheet'))
const rectOf = (a: Place, b: Place | null): Rect => ({ r1: Math.min(a.r, b?.r ?? a.r), r2: Math.max(a.r, b?.r ?? a.r), c1: Math.min(a.c, b?.c ?? a.c), c2: Math.max(a.c, b?.c ?? a.c) })
// What was measured over the rows holds for the same rows in groups, which are not there yet.
const fits = new Map<string, Record<string, number>>()
const keepFit = (key: string, widths: [string, number][]): Record<string, number> => { const made = Object.fromEntries(widths); fits.set(key, made); return made }
interface Place { r: number; c: number }

export function Grid(p: GridProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const scroller = useRef<HTMLDivElement>(null)
  const id = useId()
  const [active, setActive] = useState<Place>({ r: 0, c: 0 })
  // The other corner of a block of cells.
  const [far, setFar] = useState<Place | null>(null)
  const [filling, setFilling] = useState<number | null>(null)
  const [editing, setEditing] = useState<Editing | null>(null)
  const [bad, setBad] = useState<Map<string, Record<string, Bad>>>(new Map())
  const [drag, setDrag] = useState<{ name: string; width: number } | null>(null)
  const [moving, setMoving] = useState<{ from: number; to: number } | null>(null)
  const [dialog, setDialog] = useState<ReactNode>(null)
  const [focused, setFocused] = useState(false)
  const anchor = useRef(0)
  const height = p.cards ? 62 : 34

  const virtual = useVirtualizer({ count: p.total, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 10, scrollMargin: p.cards ? 0 : HEAD, scrollPaddingStart: p.cards ? 0 : HEAD, scrollPaddingEnd: p.renderFoot && !p.cards ? HEAD + 4 : 4 })
  useEffect(() => virtual.measure(), [height])
  const items = virtual.getVirtualItems()
  const first = items[0]?.index ?? 0
  const last = items.at(-1)?.index ?? 0
  useEffect(() => p.onRange(first, last), [first, last])
  useEffect(() => { if (!p.cards && document.activeElement === document.body) scroller.current?.focus({ preventScroll: true }) }, [])
  useImperativeHandle(p.handle, () => ({
    focus: () => scroller.current?.focus(),
    step: (rec, by) => {
      for (let i = first; i < p.total && i < last + 2000; i++) {
        if (p.row(i)?.id !== rec) continue
        for (let j = i + by; j >= 0 && j < p.total; j += by) { const next = p.row(j); if (next) return next; if (p.groups?.open(j) === undefined) return undefined }
      }
      return undefined
    },
  }))
  useEffect(() => { if (active.r >= p.total && p.total > 0) setActive((a) => ({ ...a, r: p.total - 1 })) }, [p.total])

  // A column of short texts, or of none, is narrow: measured once, over the first rows that came.
  const loaded = !!p.row(0)
  const fitKey = p.entity.name + p.columns.map((f) => f.name).join()
  const fitting = useMemo(() => (p.groups && fits.get(fitKey)) ?? (!loaded ? {} : keepFit(fitKey, p.columns.flatMap((f) => {
    const longest = Math.max(...Array.from({ length: Math.min(30, p.total) }, (_, i) => String(p.row(i)?.[f.name] ?? '').length))
    // An empty column is as wide as its name; what is no text has its own measure.
    return f.name === p.entity.title_field || (longest > 0 && f.type !== 'text') ? [] : [[f.name, Math.max(80, Math.min(typeOf(f).width, Math.max(longest, f.label.length + 2) * 8 + 20))]]
  }))), [fitKey, p.entity, loaded])
  const widthOf = useCallback((f: Field) => (drag?.name === f.name ? drag.width : p.widths[f.name] ?? fitting[f.name] ?? typeOf(f).width + (f.name === p.entity.title_field ? 50 : 0)), [p.widths, drag, p.entity, fitting])
  const measured = p.columns.map(widthOf)
  // The same numbers are the same array: rows are drawn again only when something of theirs changes.
  const widths = useMemo(() => measured, [measured.join()])
  const whole = widths.reduce((n, w) => n + w, SELECT_WIDTH)
  // As many columns stay as leave room for the others.
  const room = (scroller.current?.clientWidth ?? 4000) - 200
  const lefts = useMemo(() => {
    const out: number[] = []
    for (let c = 0, x = SELECT_WIDTH; c < p.frozen && c < widths.length && (c === 0 || x + widths[c]! <= room); x += widths[c]!, c++) out.push(x)
    return out
  }, [widths, p.frozen, room])
  const rect = rectOf(active, far)
  const block = !!far && (rect.r1 !== rect.r2 || rect.c1 !== rect.c2)
  const canEdit = useCallback((f: Field) => p.entity.can.update && editable(f) && f.name !== p.entity.states?.field, [p.entity])

  const clamp = (r: number, c: number): Place => ({ r: Math.max(p.cards ? 0 : -1, Math.min(p.total - 1, r)), c: Math.max(0, Math.min(p.columns.length - 1, c)) })
  const reveal = ({ r, c }: Place) => {
    const el = scroller.current
    // What is in sight already asks nothing of the scroller.
    const at = r * height - (el?.scrollTop ?? 0)
    if (r >= 0 && (!el || at < 0 || at + height + (p.cards ? 0 : HEAD) + (p.renderFoot && !p.cards ? HEAD + 4 : 4) > el.clientHeight)) virtual.scrollToIndex(r)
    // The column too: those that stay must not hide it.
    if (!el || p.cards || c < lefts.length) return
    const start = SELECT_WIDTH + widths.slice(0, c).reduce((n, w) => n + w, 0)
    const sticky = lefts.length ? lefts.at(-1)! + widths[lefts.length - 1]! : SELECT_WIDTH
    const x = Math.abs(el.scrollLeft)
    const dir = getComputedStyle(el).direction === 'rtl' ? -1 : 1
    if (start - x < sticky) el.scrollLeft = dir * (start - sticky)
    else if (start + (widths[c] ?? 0) - x > el.clientWidth) el.scrollLeft = dir * (start + (widths[c] ?? 0) - el.clientWidth)
  }
  const go = (r: number, c: number) => { const to = clamp(r, c); setActive(to); setFar(null); reveal(to) }
  const stretch = (r: number, c: number) => { const to = clamp(Math.max(0, r), c); setFar(to); reveal(to) }
  useEffect(() => { if (block) setSaid(t('sheet.range', { rows: rect.r2 - rect.r1 + 1, columns: rect.c2 - rect.c1 + 1 })) }, [far])
  const [said, setSaid] = useState('')

  // Blocks of cells are the work of a part that is fetched when the table is first worked in.
  const tools = useRef<typeof import('./sheet') | null>(null)
  const sheet = (at: Rect = rect): Sheet => ({ entity: p.entity, columns: p.columns, locale, total: p.total, rect: at, row: p.row, range: p.range, canEdit, select: (x) => { setActive({ r: x.r1, c: x.c1 }); setFar({ r: x.r2, c: x.c2 }) }, show: (d) => { setDialog(d); if (!d) scroller.current?.focus({ preventScroll: true }) },
    mark: (row, marks) => setBad((old) => { const next = new Map(old); const now = { ...next.get(row) }; for (const [f, why] of Object.entries(marks)) if (why) now[f] = why; else delete now[f]; if (Object.keys(now).length) next.set(row, now); else next.delete(row); return next }) })
  const withTools = (f: (m: typeof import('./sheet')) => void) => { if (tools.current) f(tools.current); else void loadSheet().then((m) => { tools.current = m; f(m) }) }
  const clipboard = (e: React.ClipboardEvent, what: 'copy' | 'cut' | 'paste') => {
    if (p.cards || editing || active.r < 0 || e.target !== scroller.current || getSelection()?.toString()) return
    if (what === 'paste') { const text = e.clipboardData.getData('text/plain'); if (text) { e.preventDefault(); withTools((m) => void m.paste(sheet(), text)) } return }
    e.preventDefault()
    const text = tools.current?.copyNow(sheet())
    if (text === undefined) withTools((m) => void m.copyLater(sheet()))
    else e.clipboardData.setData('text/plain', text)
    if (what === 'cut' && text !== undefined) withTools((m) => void m.clear(sheet()))
  }
  const beginEdit = (r: number, c: number, typed?: string) => {
    const row = p.row(r); const f = p.columns[c]
    if (!row || !f) return
    if (!canEdit(f)) { p.onOpen(row); return }
    if (f.type === 'boolean') { void p.onEdit(row, f, row[f.name] !== true); return }
    if (!INLINE.has(f.type)) { p.onOpen(row); return }
    setFar(null)
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
      sheet().mark(row.id, { [f.name]: ok === true ? null : { message: ok, value } })
    })
  }, [p.columns, p.total, p.onEdit])

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
  const placeAt = (x: number, y: number): Place | null => {
    const box = scroller.current!.getBoundingClientRect()
    const el = document.elementFromPoint(Math.max(box.left + 2, Math.min(box.right - 14, x)), Math.max(box.top + HEAD + 2, Math.min(box.bottom - 14, y)))
    const cell = el?.closest<HTMLElement>('[data-c]'); const line = el?.closest<HTMLElement>('[aria-rowindex]')
    return cell && line && scroller.current!.contains(cell) && Number(line.ariaRowIndex) > 1 ? { r: Number(line.ariaRowIndex) - 2, c: Number(cell.dataset.c) } : null
  }
  /** Follows the mouse over the cells, and scrolls where it leaves them. */
  const follow = (seen: (at: Place) => void, end: () => void) => {
    let x = 0; let y = 0; let moved = false; let frame = 0
    const tick = () => {
      const box = scroller.current?.getBoundingClientRect()
      if (box && moved) {
        const dx = x > box.right - 16 ? 14 : x < box.left + 16 ? -14 : 0; const dy = y > box.bottom - 16 ? 14 : y < box.top + HEAD ? -14 : 0
        if (dx || dy) { scroller.current!.scrollBy(dx, dy); const at = placeAt(x, y); if (at) seen(at) }
      }
      frame = requestAnimationFrame(tick)
    }
    const move = (m: MouseEvent) => { x = m.clientX; y = m.clientY; moved = true; const at = placeAt(x, y); if (at) seen(at) }
    const up = () => { cancelAnimationFrame(frame); removeEventListener('mousemove', move); removeEventListener('mouseup', up); end() }
    frame = requestAnimationFrame(tick)
    addEventListener('mousemove', move); addEventListener('mouseup', up)
  }
  const press = (e: React.MouseEvent, r: number, c: number) => {
    if (e.shiftKey) { e.preventDefault(); scroller.current?.focus({ preventScroll: true }); stretch(r, c); return }
    go(r, c)
    follow((at) => { if (at.r !== r || at.c !== c) getSelection()?.removeAllRanges(); setFar(at.r === r && at.c === c ? null : at) }, () => {})
  }
  const fill = (e: React.MouseEvent) => {
    e.preventDefault(); e.stopPropagation()
    const from = rect; let to = from.r2
    follow((at) => { to = Math.max(from.r2, at.r); setFilling(to) }, () => { setFilling(null); if (to > from.r2) withTools((m) => void m.fill(sheet(from), to)) })
  }
  const menu = (r: number, c: number) => {
    const field = p.columns[c]; const el = document.getElementById(cell(r, c))
    if (!field || !el) return
    const row = r < 0 ? undefined : p.row(r)
    p.onMenu({ field, column: c, ...(row ? { row } : {}), at: el.getBoundingClientRect(), canEdit: canEdit(field), do: (what) => {
      if (what === 'edit') beginEdit(r, c)
      else withTools((m) => void (what === 'copy' ? m.copyLater(sheet()) : what === 'fill' ? m.fill(sheet()) : what === 'clear' ? m.clear(sheet()) : navigator.clipboard?.readText().then((text) => m.paste(sheet(), text), () => toast.error(t('error.clipboard')))))
    } })
  }
  const cell = (r: number, c: number) => `${id}-${r}-${c}`
  const context = (e: React.MouseEvent, r: number, c: number) => {
    if ((e.target as HTMLElement).closest('a,input') || p.cards) return
    e.preventDefault()
    scroller.current?.focus({ preventScroll: true })
    if (r < rect.r1 || r > rect.r2 || c < rect.c1 || c > rect.c2) go(r, c)
    menu(r, c)
  }
  const keys = (e: React.KeyboardEvent) => {
    if (editing || (e.target as HTMLElement).closest('.g-cell.editing')) return
    const { r, c } = active
    const row = p.row(r)
    const mod = e.metaKey || e.ctrlKey
    const page = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 400) - HEAD) / height) - 1)
    const head = r >= 0 ? p.groups?.open(r) : undefined
    // Rows that were picked go on being picked; else a block of cells grows.
    const picking = p.selection.all || p.selection.ids.size > 0
    const to = far ?? active
    const nudge = (by: number) => { const f = p.columns[c]; if (f) p.onWidth(f.name, Math.max(56, widthOf(f) + by)) }
    // Where one reads from right to left, the arrows do too.
    const way = document.documentElement.dir === 'rtl' ? -1 : 1
    const sideways = (by: number) => {
      const end = mod ? (by < 0 ? 0 : p.columns.length - 1) : undefined
      const f = p.columns[c]
      if (r < 0 && e.altKey) { if (e.shiftKey) { if (f) { p.onMove(f.name, c + by); setActive({ r, c: Math.max(0, Math.min(p.columns.length - 1, c + by)) }) } } else nudge(16 * by) }
      else if (head !== undefined && head !== by > 0) p.groups!.toggle(r, by > 0)
      else if (e.shiftKey && r >= 0 && !p.cards) stretch(to.r, end ?? to.c + by)
      // Out of a group's rows to its head.
      else if (p.groups && by < 0 && c === 0 && head === undefined && r > 0) { let i = r - 1; while (i > 0 && p.groups.open(i) === undefined) i--; go(i, 0) }
      else go(r, end ?? c + by)
    }
    const updown = (by: number, end: number) => {
      if (e.altKey) { if (by > 0 && !p.cards) menu(r, c); return }
      if (e.shiftKey && r >= 0 && (picking || p.cards)) { if (r + by >= 0) toggle(Math.min(p.total - 1, r + by), true) }
      else if (e.shiftKey && r >= 0) { stretch(mod ? end : to.r + by, to.c); return }
      go(mod ? end : r + by, c)
    }
    const handled: Record<string, () => void> = {
      ArrowDown: () => updown(1, p.total - 1), ArrowUp: () => updown(-1, 0), ArrowLeft: () => sideways(-way), ArrowRight: () => sideways(way),
      Home: () => (e.shiftKey && r >= 0 ? stretch(mod ? 0 : to.r, 0) : go(mod ? 0 : r, 0)), End: () => (e.shiftKey && r >= 0 ? stretch(mod ? p.total - 1 : to.r, p.columns.length - 1) : go(mod ? p.total - 1 : r, p.columns.length - 1)),
      PageDown: () => (e.shiftKey ? stretch(to.r + page, to.c) : go(r + page, c)), PageUp: () => (e.shiftKey ? stretch(Math.max(0, to.r - page), to.c) : go(Math.max(0, r - page), c)),
      Enter: () => {
        if (r < 0) { const f = p.columns[c]; if (f?.sortable) p.onSort(f.name, e.shiftKey); return }
        if (head !== undefined) { p.groups!.toggle(r); return }
        const f = p.columns[c]
        if (!row || !f) return
        const kept = bad.get(row.id)?.[f.name]?.value
        if (kept !== undefined && canEdit(f) && INLINE.has(f.type)) { setEditing({ id: row.id, field: f.name, start: { value: kept } }); return }
        if (p.cards) p.onOpen(row); else beginEdit(r, c)
      },
      F2: () => beginEdit(r, c),
      F10: () => { if (e.shiftKey) menu(r, c) }, ContextMenu: () => menu(r, c),
      ' ': () => { if (head !== undefined) p.groups!.toggle(r); else if (r >= 0) toggle(r, e.shiftKey) },
      o: () => { if (row) p.onOpen(row) },
      f: () => { const f = p.columns[c]; if (row && f && !p.cards) p.onFilterBy(row, f) },
      Delete: () => { if (r >= 0 && !p.cards) withTools((m) => void m.clear(sheet())) },
      Escape: () => (far ? setFar(null) : p.onEscape()),
    }
    const letter = e.key.toLowerCase()
    if (mod && letter === 'a') { e.preventDefault(); setFar(null); p.onSelect({ ids: new Set(), all: true }); return }
    if (mod && letter === 'd' && r >= 0 && !p.cards) { e.preventDefault(); withTools((m) => void m.fill(sheet())); return }
    if (mod && !/^(Arrow|Home$|End$)/.test(e.key)) return
    const f = handled[e.key.length === 1 ? letter : e.key]
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

  const dragged = useRef(false)
  const carry = (e: React.PointerEvent, from: number) => {
    if (e.button !== 0 || e.pointerType === 'touch') return
    const x = e.clientX; let to = from
    dragged.current = false
    const move = (m: PointerEvent) => {
      if (!dragged.current && Math.abs(m.clientX - x) < 6) return
      dragged.current = true
      const head = document.elementFromPoint(m.clientX, scroller.current!.getBoundingClientRect().top + HEAD / 2)?.closest<HTMLElement>('.g-head [data-head]')
      if (head) to = Number(head.dataset.head)
      setMoving({ from, to })
    }
    const up = () => { removeEventListener('pointermove', move); removeEventListener('pointerup', up); setMoving(null); const f = p.columns[from]; if (dragged.current && to !== from && f) p.onMove(f.name, to) }
    addEventListener('pointermove', move); addEventListener('pointerup', up)
  }

  const rowLabel = t('selectRow')
  const everything = p.selection.all || (p.total > 0 && p.selection.ids.size >= p.total)
  const calls = { toggle, beginEdit, press, fill, context, open: p.onOpen, commit, carry, grip, sort: (f: Field, add: boolean) => { if (!dragged.current && f.sortable) p.onSort(f.name, add) }, headMenu: (c: number) => { scroller.current?.focus({ preventScroll: true }); go(-1, c); menu(-1, c) }, all: () => p.onSelect({ ids: new Set(), all: !everything }), cancel: () => { setEditing(null); scroller.current?.focus({ preventScroll: true }) } }
  const api = useRef(calls)
  api.current = calls

  const headAt = focused && active.r === -1 ? active.c : -1
  const some = !everything && p.selection.ids.size > 0
  // Going from row to row draws nothing of it anew.
  const head = useMemo(() => {
    if (p.cards) return null
    const keysOf = sorts(p.sort)
    return (
      <div className="g-head" role="row" aria-rowindex={1} style={{ width: whole, minWidth: '100%' }}>
        <div role="columnheader" className="g-cell sel sticky" aria-colindex={1} style={{ width: SELECT_WIDTH, insetInlineStart: 0 }}>
          <input type="checkbox" tabIndex={-1} aria-label={t('selectAll')} checked={everything} ref={(el) => { if (el) el.indeterminate = some }} onChange={() => api.current.all()} />
        </div>
        {p.columns.map((f, c) => {
          const at = keysOf.findIndex((s) => s.name === f.name)
          const s = keysOf[at]
          return (
            <div key={f.name} id={cell(-1, c)} data-head={c} role="columnheader" aria-haspopup="menu" aria-colindex={c + 2} aria-sort={s ? (s.down ? 'descending' : 'ascending') : f.sortable ? 'none' : undefined}
              className={clsx('g-cell', typeOf(f).align, c < lefts.length && 'sticky', c === lefts.length - 1 && 'edge', headAt === c && 'active', moving?.from === c && 'held', moving && moving.from !== c && moving.to === c && (moving.to > moving.from ? 'after' : 'before'))} style={{ width: widths[c], ...(c < lefts.length ? { insetInlineStart: lefts[c] } : {}), ...(f.sortable ? { cursor: 'pointer' } : {}) }}
              title={f.help ?? undefined} onPointerDown={(e) => api.current.carry(e, c)} onClick={(e) => api.current.sort(f, e.shiftKey)} onContextMenu={(e) => api.current.context(e, -1, c)} onKeyDown={() => {}}>
              <span className="txt">{f.label}</span>
              {s && <span className="flex ms-1 text-fg" aria-hidden="true">{s.down ? <ArrowDown size={12} /> : <ArrowUp size={12} />}{keysOf.length > 1 && <sup className="text-[9px]">{at + 1}</sup>}</span>}
              <span className="g-more" aria-hidden="true" onPointerDown={(e) => e.stopPropagation()} onClick={(e) => { e.stopPropagation(); api.current.headMenu(c) }}><ChevronDown size={13} /></span>
              <span className="g-grip" aria-hidden="true" onPointerDown={(e) => api.current.grip(e, f)} onClick={(e) => e.stopPropagation()} />
            </div>
          )
        })}
      </div>
    )
  }, [p.cards, p.columns, p.sort, widths, whole, lefts, moving, headAt, everything, some, id, t])
  const foot = useMemo(() => (p.cards ? null : p.renderFoot?.({ widths, whole, lefts, index: p.total + 2 })), [p.cards, p.renderFoot, widths, whole, lefts, p.total])
  const broken = block ? undefined : bad.get(p.row(active.r)?.id ?? '')?.[p.columns[active.c]?.name ?? '']
  const shownRect = filling === null ? rect : { ...rect, r2: filling }
  return (
    <>
    <div ref={scroller} className={clsx('grid-scroll flex-1 min-h-0', block && 'ranged')} role={p.groups ? 'treegrid' : 'grid'} tabIndex={0} aria-label={p.entity.plural} aria-rowcount={p.total + 1} aria-colcount={p.columns.length + 1} aria-multiselectable="true"
      aria-activedescendant={p.total > 0 || active.r < 0 ? cell(active.r, active.c) : undefined} style={{ outline: 'none' }}
      onKeyDown={keys} onCopy={(e) => clipboard(e, 'copy')} onCut={(e) => clipboard(e, 'cut')} onPaste={(e) => clipboard(e, 'paste')} onFocus={(e) => { setFocused(e.target === scroller.current); if (!tools.current && !p.cards) withTools(() => {}) }} onBlur={() => setFocused(false)}>
      {head}
      <div role="rowgroup" style={{ height: Math.max(virtual.getTotalSize(), 1), position: 'relative', width: p.cards ? undefined : whole, minWidth: '100%' }}>
        {items.map((it) => {
          const top = it.start - (p.cards ? 0 : HEAD)
          const on = active.r === it.index
          if (p.groups && p.groups.open(it.index) !== undefined) return p.groups.renderHead({ index: it.index, top, height, id: cell(it.index, active.c), whole, widths, columns: p.columns, active: on && focused, cards: p.cards })
          const row = p.row(it.index)
          const within = (block || filling !== null) && it.index >= shownRect.r1 && it.index <= shownRect.r2
          return p.cards
            ? <Card key={it.index} index={it.index} top={top} row={row} columns={p.columns} entity={p.entity} locale={locale} id={cell(it.index, 0)} active={on && focused} api={api} level={p.groups?.levels} />
            : <GridRow key={it.index} index={it.index} top={top} row={row} columns={p.columns} widths={widths} lefts={lefts} whole={whole} titleField={p.entity.title_field} locale={locale}
                activeCol={on && (focused || (editing && row?.id === editing.id)) ? active.c : -1} from={within ? rect.c1 : -1} to={within ? rect.c2 : -1} handle={focused && !editing && it.index === shownRect.r2 && canEdit(p.columns[rect.c1]!) ? rect.c2 : -1}
                selected={!!row && (p.selection.all || p.selection.ids.has(row.id))} opened={!!row && row.id === p.openId} paint={p.paint} level={p.groups?.levels}
                editing={row && editing?.id === row.id ? editing : null} bad={row && bad.get(row.id)} cellId={id} api={api} label={rowLabel} />
        })}
      </div>
      {foot}
    </div>
    {broken && focused && <div className="g-why" role="status">{broken.message}</div>}
    <span className="visually-hidden" role="status">{said}</span>
    {dialog}
    </>
  )
}

type Api = RefObject<{ toggle: (i: number, range: boolean) => void; beginEdit: (r: number, c: number, typed?: string) => void; press: (e: React.MouseEvent, r: number, c: number) => void; fill: (e: React.MouseEvent) => void; context: (e: React.MouseEvent, r: number, c: number) => void; open: (row: Row) => void; commit: (row: Row, f: Field, v: unknown, go: Leave) => void; cancel: () => void }>

const GridRow = memo(function GridRow({ index, top, row, columns, widths, lefts, whole, titleField, locale, activeCol, from, to, handle, selected, opened, paint, level, editing, bad, cellId, api, label }: {
  index: number; top: number; row: Row | undefined; columns: Field[]; widths: number[]; lefts: number[]; whole: number; titleField: string | null; locale: Locale; activeCol: number; from: number; to: number; handle: number; selected: boolean; opened: boolean
  paint: ((row: Row) => Paint | null) | undefined; level: number | undefined; editing: Editing | null; bad: Record<string, Bad> | undefined; cellId: string; api: Api; label: string
}) {
  const look = row && paint?.(row)
  return (
    <div className={clsx('g-row', look?.row && `tint ${look.row}`)} role="row" aria-rowindex={index + 2} aria-level={level === undefined ? undefined : level + 1} aria-selected={selected} title={look?.row ? look.why : undefined} style={{ top, width: whole, minWidth: '100%', ...(opened && !selected ? { background: 'var(--hover)' } : {}) }} data-id={row?.id}>
      <div role="gridcell" className="g-cell sel sticky" aria-colindex={1} style={{ width: SELECT_WIDTH, insetInlineStart: 0 }}>
        <input type="checkbox" tabIndex={-1} aria-label={label} checked={selected} onChange={() => {}} onClick={(e) => { e.stopPropagation(); api.current.toggle(index, e.shiftKey) }} />
      </div>
      {columns.map((f, c) => (
        <GridCell key={f.name} index={index} c={c} field={f} row={row} id={`${cellId}-${index}-${c}`} width={widths[c]!} left={lefts[c]} edge={c === lefts.length - 1} title={f.name === titleField} locale={locale}
          active={activeCol === c} within={c >= from && c <= to && from >= 0} handle={handle === c} editing={editing?.field === f.name && row ? editing : null} bad={bad?.[f.name]} hue={look?.cells[f.name]} why={look?.cells[f.name] ? look.why : undefined} api={api} />
      ))}
    </div>
  )
})

/** One cell: where the keyboard goes from one to the next, these two alone are drawn anew. */
const GridCell = memo(function GridCell({ index, c, field: f, row, id, width, left, edge, title, locale, active, within, handle, editing, bad, hue, why, api }: {
  index: number; c: number; field: Field; row: Row | undefined; id: string; width: number; left: number | undefined; edge: boolean; title: boolean; locale: Locale; active: boolean; within: boolean; handle: boolean
  editing: Editing | null; bad: Bad | undefined; hue: string | undefined; why: string | undefined; api: Api
}) {
  const type = typeOf(f)
  return (
    <div id={id} data-c={c} role="gridcell" aria-colindex={c + 2} aria-selected={within || undefined} aria-invalid={bad ? true : undefined} data-field={f.name} title={bad?.message ?? why}
      className={clsx('g-cell', type.align, title && 'title', left !== undefined && 'sticky', edge && 'edge', hue && `tint ${hue}`, within && 'in', active && 'active', editing && 'editing', bad && 'failed')}
      style={{ width, ...(left !== undefined ? { insetInlineStart: left } : {}) }}
      onMouseDown={(e) => { if (!editing && e.button === 0 && !(e.target as HTMLElement).closest('a')) api.current.press(e, index, c) }}
      onClick={(e) => { if (title && row && !editing && !e.shiftKey) api.current.open(row) }} onContextMenu={(e) => api.current.context(e, index, c)}
      onDoubleClick={() => api.current.beginEdit(index, c)}>
      {!row ? <span className="skel" style={{ width: '60%' }} />
        : editing ? <CellEditor field={f} row={row} typed={editing.typed} start={editing.start} onCommit={(v, go) => api.current.commit(row, f, v, go)} onCancel={() => api.current.cancel()} />
          : <type.Cell field={f} value={row[f.name]} record={row} locale={locale} />}
      {handle && <span className="g-fill" aria-hidden="true" onMouseDown={(e) => api.current.fill(e)} onClick={(e) => e.stopPropagation()} onDoubleClick={(e) => e.stopPropagation()} />}
    </div>
  )
})

/** A phone's row: the name and one more line, the sum and the state at its end. */
const Card = memo(function Card({ index, top, row, columns, entity, locale, id, active, api, level }: { index: number; top: number; row: Row | undefined; columns: Field[]; entity: Entity; locale: Locale; id: string; active: boolean; api: Api; level: number | undefined }) {
  const title = columns.find((f) => f.name === entity.title_field) ?? columns[0]
  const sum = columns.find((f) => f.type === 'money') ?? columns.find((f) => f !== title && typeOf(f).align === 'end')
  const state = columns.find((f) => f.name === entity.states?.field) ?? columns.find((f) => f !== title && f.type === 'select')
  const second = columns.find((f) => f !== title && f !== sum && f !== state)
  const show = (f: Field | undefined) => { if (!f || !row) return null; const { Cell } = typeOf(f); return <Cell field={f} value={row[f.name]} record={row} locale={locale} /> }
  return (
    <div className={clsx('g-row g-card', active && 'active')} role="row" aria-rowindex={index + 2} aria-level={level === undefined ? undefined : level + 1} style={{ top, width: '100%', height: 62, padding: '0 16px', cursor: 'pointer' }} onClick={() => row && api.current.open(row)} onKeyDown={() => {}}>
      <div id={id} role="gridcell" className="flex-1 min-w-0 flex flex-col gap-1 overflow-hidden">{row ? <><span className="font-medium truncate flex">{show(title)}</span><span className="text-muted truncate flex">{show(second)}</span></> : <span className="skel" style={{ width: '60%' }} />}</div>
      <div role="gridcell" className="flex flex-col items-end gap-1 num flex-none">{show(sum)}{show(state)}</div>
    </div>
  )
})
