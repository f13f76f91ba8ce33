import './dashboard.css'
import '../pivot/pivot.css'
import { clsx } from 'clsx'
import { Copy, GripVertical, MoveDiagonal2, Pencil, Plus, Printer, Settings2, Trash2, X } from 'lucide-react'
import { lazy, Suspense, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNarrow } from '@/lib/narrow'
import { Empty, Menu, Skeleton } from '@/ui/basics'
import type { ViewProps } from '../kind'
import { printOnly, useTargets } from '../pivot/parts'
import type { Cross } from './data'
import { add, COLUMNS, compact, freshId, put, readWidgets, reading, SIZES, suggest, type Widget } from './model'
import { WidgetCard } from './widget'

const WidgetDialog = lazy(() => import('./editor'))
const ROW = 64
const GAP = 12

export default function Dashboard({ entity, params, options, onOptions, handle, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const hint = useId()
  const narrow = useNarrow()
  const targets = useTargets(entity)
  const saved = useMemo(() => readWidgets(options.widgets), [options.widgets])
  const proposed = useMemo(() => (targets ? suggest(entity, targets) : undefined), [entity, targets])
  const widgets = saved ?? proposed
  const [editing, setEditing] = useState(false)
  const [held, setHeld] = useState<{ id: string; list: Widget[] } | null>(null)
  const [dialog, setDialog] = useState<{ widget: Widget; isNew: boolean } | null>(null)
  const [crosses, setCrosses] = useState<Cross[]>([])
  const [said, setSaid] = useState('')
  const grid = useRef<HTMLDivElement>(null)
  const titles = useRef(new Map<string, string>())
  const outer = useMemo(() => ({ filter: params.filter, q: params.q }), [params.filter, params.q])
  const keep = (list: Widget[]) => onOptions({ widgets: JSON.stringify(list) })
  const onCross = (id: string) => (c: Cross | null) => { setCrosses((old) => [...old.filter((x) => x.widget !== id), ...(c ? [c] : [])]); setSaid(c ? t('dash.crossed', { what: c.label }) : t('dash.uncrossed')) }
  const shown = held?.list ?? widgets ?? []
  const ordered = [...shown].sort(reading)
  useImperativeHandle(handle, () => ({ focus: () => grid.current?.querySelector<HTMLElement>('[data-mark][tabindex="0"],button,a')?.focus() }))
  useEffect(() => { if (narrow) setEditing(false) }, [narrow])

  const titleOf = (w: Widget) => titles.current.get(w.id) ?? w.title ?? t(`dash.kind_${w.kind}`)
  const place = (list: Widget[], id: string) => { const w = list.find((x) => x.id === id)!; setSaid(t('dash.placed', { name: titleOf(w), col: w.x + 1, row: w.y + 1, w: w.w, h: w.h })) }
  const nudge = (e: React.KeyboardEvent, w: Widget) => {
    const rtl = getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1
    const step: Record<string, [number, number]> = { ArrowRight: [rtl, 0], ArrowLeft: [-rtl, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }
    const by = step[e.key]
    if (!by || !widgets) return
    e.preventDefault(); e.stopPropagation()
    // A step down goes past whatever stands right below.
    const below = by[1] > 0 && !e.shiftKey ? widgets.filter((o) => o.id !== w.id && o.y === w.y + w.h && o.x < w.x + w.w && w.x < o.x + o.w) : []
    const y = by[1] > 0 && below.length ? w.y + Math.min(...below.map((o) => o.h)) + (below.length ? 0 : 1) : w.y + by[1]
    const list = put(widgets, w.id, e.shiftKey ? { w: Math.min(COLUMNS - w.x, w.w + by[0]), h: w.h + by[1] } : { x: w.x + by[0], y: by[1] > 0 && below.length ? y + 1 : y })
    keep(list)
    place(list, w.id)
  }
  /** Carried or stretched by the pointer: what is under it gives way at once, and is kept when it is let go. */
  const drag = (e: React.PointerEvent<HTMLElement>, w: Widget, what: 'move' | 'size') => {
    const box = grid.current?.getBoundingClientRect()
    if (e.button !== 0 || !box || !widgets) return
    e.preventDefault()
    const { currentTarget: target, pointerId, clientX, clientY } = e
    target.setPointerCapture(pointerId)
    const rtl = getComputedStyle(target).direction === 'rtl' ? -1 : 1
    const col = (box.width + GAP) / COLUMNS
    let list = widgets
    const start = grid.current!.closest('.d-scroller')!.scrollTop
    const move = (m: PointerEvent) => {
      const dx = Math.round(((m.clientX - clientX) * rtl) / col)
      const dy = Math.round((m.clientY - clientY + grid.current!.closest('.d-scroller')!.scrollTop - start) / ROW)
      list = put(widgets, w.id, what === 'move' ? { x: w.x + dx, y: w.y + dy } : { w: Math.min(COLUMNS - w.x, w.w + dx), h: w.h + dy })
      setHeld({ id: w.id, list })
    }
    const end = (keepIt: boolean) => () => {
      target.removeEventListener('pointermove', move); target.removeEventListener('pointerup', up); target.removeEventListener('pointercancel', cancel); removeEventListener('keydown', escape, true)
      setHeld(null)
      if (keepIt && list !== widgets) { keep(list); place(list, w.id) }
    }
    const up = end(true)
    const cancel = end(false)
    const escape = (k: KeyboardEvent) => { if (k.key === 'Escape') { k.preventDefault(); k.stopPropagation(); cancel() } }
    target.addEventListener('pointermove', move); target.addEventListener('pointerup', up); target.addEventListener('pointercancel', cancel); addEventListener('keydown', escape, true)
  }
  const begin = () => setDialog({ isNew: true, widget: { id: freshId(widgets ?? []), kind: 'bar', x: 0, y: 0, w: SIZES.bar[0], h: SIZES.bar[1], value: 'count' } })
  const paper = () => { if (grid.current) printOnly(grid.current.cloneNode(true) as HTMLElement, t('dash.printed', { name: entity.plural })) }

  if (!widgets) return <Skeleton rows={8} />
  return (
    <>
      <div className="d-bar">
        {crosses.map((c) => <span key={c.widget} className="inline-flex items-center h-[26px] rounded-md bg-sel text-accent-text text-xs ps-2">{c.label}<button type="button" className="border-0 bg-transparent h-full px-1.5 inline-flex items-center rounded-md" aria-label={t('dash.uncross', { what: c.label })} onClick={() => { setCrosses((old) => old.filter((x) => x !== c)); setSaid(t('dash.uncrossed')) }}><X size={13} /></button></span>)}
        {crosses.length > 1 && <button type="button" className="btn ghost sm" onClick={() => { setCrosses([]); setSaid(t('dash.uncrossed')) }}>{t('dash.uncrossAll')}</button>}
        {crosses.length === 0 && <span className="text-muted text-xs">{t(editing ? 'dash.editHint' : 'dash.crossHint')}</span>}
        <span className="flex-1" />
        {editing && <button type="button" className="btn sm" onClick={begin}><Plus size={14} />{t('dash.add')}</button>}
        {editing && saved && <Menu align="end" trigger={<button type="button" className="btn ghost sm">{t('dash.more')}</button>} items={[{ label: t('dash.suggest'), onSelect: () => onOptions({ widgets: '' }) }, { label: t('dash.empty'), danger: true, onSelect: () => keep([]) }]} />}
        {!narrow && <button type="button" className={clsx('btn ghost sm', editing && 'on')} aria-pressed={editing} onClick={() => setEditing(!editing)}><Settings2 size={14} />{t(editing ? 'dash.done' : 'dash.edit')}</button>}
        <button type="button" className="btn ghost icon sm" aria-label={t('pivot.print')} title={t('pivot.print')} onClick={paper}><Printer size={15} /></button>
      </div>
      <div className="d-scroller" onKeyDown={(e) => { if (e.key === 'Escape' && !e.defaultPrevented) { if (crosses.length) setCrosses([]); else onEscape() } }}>
        {ordered.length === 0 ? <Empty title={t('dash.none')} text={t('dash.noneText')}><button type="button" className="btn primary" onClick={() => { setEditing(true); begin() }}>{t('dash.add')}</button><button type="button" className="btn" onClick={() => onOptions({ widgets: '' })}>{t('dash.suggest')}</button></Empty> : (
          <div ref={grid} className="d-grid" role="group" aria-label={t('dash.label', { name: entity.plural })}>
            {ordered.map((w) => (
              <div key={w.id} role="group" data-widget={w.id} aria-labelledby={`${hint}${w.id}`} className={clsx('d-widget', editing && 'd-editing', held?.id === w.id && 'd-moving')} style={{ gridColumn: `${w.x + 1} / span ${w.w}`, gridRow: `${w.y + 1} / span ${w.h}`, '--tall': w.h } as React.CSSProperties}>
                <WidgetCard w={w} id={`${hint}${w.id}`} entity={entity} headed={(title) => titles.current.set(w.id, title)} shared={{ page: entity.name, outer, crosses, onCross: onCross(w.id), onOptions: (next) => keep(widgets.map((x) => (x.id === next.id ? next : x))) }}
                  tools={editing && <>
                    <button type="button" className="btn ghost icon sm d-quiet" aria-label={t('dash.editNamed', { name: titleOf(w) })} title={t('edit')} onClick={() => setDialog({ widget: w, isNew: false })}><Pencil size={13} /></button>
                    <button type="button" className="btn ghost icon sm d-quiet" aria-label={t('dash.copy', { name: titleOf(w) })} title={t('dash.copyShort')} onClick={() => keep(add(widgets, { ...w, id: freshId(widgets) }))}><Copy size={13} /></button>
                    <button type="button" className="btn ghost icon sm d-quiet" aria-label={t('removeNamed', { name: titleOf(w) })} title={t('remove')} onClick={() => { keep(compact(widgets.filter((x) => x.id !== w.id))); setCrosses((old) => old.filter((c) => c.widget !== w.id)); setSaid(t('dash.removed', { name: titleOf(w) })) }}><Trash2 size={13} /></button>
                    <button type="button" className="btn ghost icon sm d-quiet d-grip" aria-label={t('dash.move', { name: titleOf(w) })} aria-describedby={hint} title={t('dash.moveShort')} onPointerDown={(e) => drag(e, w, 'move')} onKeyDown={(e) => nudge(e, w)}><GripVertical size={14} /></button>
                  </>} />
                {editing && <button type="button" className="d-size" tabIndex={-1} aria-label={t('dash.size', { name: titleOf(w) })} onPointerDown={(e) => drag(e, w, 'size')}><MoveDiagonal2 size={13} /></button>}
              </div>
            ))}
          </div>
        )}
      </div>
      <p id={hint} className="visually-hidden">{t('dash.hint')}</p>
      <div role="status" aria-live="polite" className="visually-hidden">{said}</div>
      <Suspense fallback={null}>{dialog && <WidgetDialog widget={dialog.widget} isNew={dialog.isNew} page={entity} onClose={() => setDialog(null)} onSave={(w) => keep(dialog.isNew ? add(widgets, w) : put(widgets.map((x) => (x.id === w.id ? w : x)), w.id, {}))} />}</Suspense>
    </>
  )
}
