import './tree.css'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ChevronDown, ChevronRight, Download, ListTree, Maximize, Minus, Network, Plus, Waypoints } from 'lucide-react'
import { createElement, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { formatNumber, useLocale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { toast } from '@/lib/toast'
import { editable, titleOf } from '@/meta/hooks'
import type { Entity, Row } from '@/meta/types'
import { saveFields } from '@/record/save'
import { Empty, Failure, Skeleton } from '@/ui/basics'
import { useBox } from '../box'
import { placeAt, useGesture } from '../gesture'
import type { ViewProps } from '../kind'
import { download } from '../pivot/parts'
import { branchPath, drawn, isNode, linesOf, mayGo, ROOT, SPOT, useLevels, type Line, type Node } from './model'

type Look = 'tree' | 'mind' | 'radial'
const LOOKS = [['tree', ListTree], ['mind', Network], ['radial', Waypoints]] as const
interface Held { node: Node; over: string | null; keys: boolean }

export default function Tree({ entity, by, columns, params, options, onOptions, openId, handle, onOpen, onCreate, onEscape }: ViewProps) {
  const parent = by.parent!
  const { t } = useTranslation()
  const locale = useLocale()
  const narrow = useNarrow()
  const hint = useId()
  const look = (LOOKS.find(([l]) => l === options.look)?.[0] ?? 'tree') as Look
  const facts = useMemo(() => columns.filter((f) => f !== parent && f.name !== entity.title_field && !['json', 'file', 'textarea', 'richtext', 'signature', 'recurrence', 'address', 'button'].includes(f.type)).slice(0, 3), [columns, parent, entity])
  const [open, setOpen] = useState<Set<string>>(new Set())
  const [wider, setWider] = useState<Record<string, number>>({})
  const levels = useLevels(entity, parent, params, facts, [...open], wider)
  const lines = useMemo(() => linesOf(levels.levels, open), [levels.levels.size, levels, open])
  // A small tree begins open one level deep, a map always.
  const begun = useRef(false)
  useEffect(() => {
    const root = levels.levels.get(ROOT)
    if (begun.current || !root) return
    begun.current = true
    const held = root.data.filter((r) => root.counts[r.id])
    if (held.length <= 12) setOpen(new Set(held.map((r) => r.id)))
  }, [levels])

  const tall = narrow ? 44 : 34
  const scroller = useRef<HTMLDivElement>(null)
  const ghost = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState(0)
  const [held, setHeld] = useState<Held | null>(null)
  const holding = useRef(held)
  holding.current = held
  const [said, setSaid] = useState('')
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => tall, overscan: 12 })
  useEffect(() => { virtual.measure() }, [tall])
  const nodes = lines.filter(isNode)
  const may = entity.can.update && editable(parent)
  const nameOf = (id: string | null) => (id === ROOT || id === null ? t('tree.top') : titleOf(entity, nodes.find((n) => n.id === id)?.row))

  const toggle = (id: string, to?: boolean) => setOpen((old) => { const next = new Set(old); if (to ?? !next.has(id)) next.add(id); else next.delete(id); return next })
  const focusAt = (i: number) => {
    const to = Math.max(0, Math.min(lines.length - 1, i))
    setAt(to)
    virtual.scrollToIndex(to)
    const find = (tries: number) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-place="${to}"]`); if (el) el.focus({ preventScroll: true }); else if (tries) find(tries - 1) })
    find(10)
  }
  const focusId = (id: string, tries = 60) => { const find = (left: number) => setTimeout(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-node="${id}"]`); if (el) el.focus(); else if (left) find(left - 1) }, 40); find(tries) }
  useImperativeHandle(handle, () => ({ focus: () => focusAt(at), step: (id, way) => nodes[nodes.findIndex((n) => n.id === id) + way]?.row }))

  const move = async ({ node, over }: Held) => {
    if (over === null || !mayGo(lines, node, over)) return
    const title = titleOf(entity, node.row)
    const label = t('tree.moved', { title, to: nameOf(over) })
    try {
      if (over !== ROOT) toggle(over, true)
      await saveFields(entity, node.row, { [parent.name]: over === ROOT ? null : over }, label)
      setSaid(label)
    } catch (e) {
      toast.error(`${title}: ${messageOf(e)}`, { duration: 9000 })
      setSaid(t('tree.refused', { title, why: messageOf(e) }))
    } finally { records.refresh(entity.name); focusId(node.id) }
  }
  const take = (node: Node, keys: boolean): boolean => {
    if (!may) { setSaid(t('tree.stays', { title: titleOf(entity, node.row) })); return false }
    setHeld({ node, over: null, keys })
    setSaid(t(keys ? 'tree.takenKeys' : 'tree.taken', { title: titleOf(entity, node.row) }))
    return true
  }
  const over = (id: string | null) => {
    const h = holding.current
    if (!h) return
    const next = id !== null && mayGo(lines, h.node, id) ? id : null
    if (next === h.over) return
    setHeld({ ...h, over: next })
    setSaid(next === null ? t('tree.nowhere') : t('tree.over', { to: nameOf(next) }))
  }
  const leave = () => { const h = holding.current; if (h) setSaid(t('tree.left', { title: titleOf(entity, h.node.row) })); setHeld(null) }
  const drop = () => { const h = holding.current; if (!h) return; if (h.over === null) leave(); else { setHeld(null); void move(h) } }
  const gesture = useGesture(scroller)
  const grab = (e: React.PointerEvent<HTMLElement>, node: Node) => gesture(e, { take: () => take(node, false), move: (p) => over(placeAt(p, '[data-node]')?.dataset.node ?? null), drop, cancel: leave, ghost, along: 'y' })

  const targets = held ? [ROOT, ...nodes.map((n) => n.id)].filter((id) => mayGo(lines, held.node, id)) : []
  const keys = (e: React.KeyboardEvent) => {
    if (e.metaKey || e.ctrlKey || e.altKey) return
    const i = Number((e.target as HTMLElement).closest<HTMLElement>('[data-place]')?.dataset.place)
    const line = lines[i]
    if (!line) return
    const rtl = getComputedStyle(e.currentTarget).direction === 'rtl'
    const key = rtl && e.key === 'ArrowRight' ? 'ArrowLeft' : rtl && e.key === 'ArrowLeft' ? 'ArrowRight' : e.key.length === 1 ? e.key.toLowerCase() : e.key
    const node = isNode(line) ? line : null
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? tall) / tall) - 1)
    const to = (by: number) => {
      const now = held?.over === null || held?.over === undefined ? Math.max(0, targets.findIndex((x) => x === held?.node.of || nodes.findIndex((n) => n.id === x) > nodes.findIndex((n) => n.id === held?.node.id)) - (by > 0 ? 1 : 0)) : targets.indexOf(held.over)
      const next = targets[Math.max(0, Math.min(targets.length - 1, now + by))]
      if (next === undefined) return
      over(next)
      const place = lines.findIndex((l) => isNode(l) && l.id === next)
      if (place >= 0) virtual.scrollToIndex(place)
    }
    const does: Record<string, () => void> = held?.keys ? { ArrowDown: () => to(1), ArrowUp: () => to(-1), Home: () => over(ROOT), Enter: drop, ' ': drop, Escape: leave, Tab: leave, ArrowLeft: () => {}, ArrowRight: () => {} } : {
      ArrowDown: () => focusAt(i + 1), ArrowUp: () => focusAt(i - 1), Home: () => focusAt(0), End: () => focusAt(lines.length - 1), PageDown: () => focusAt(i + page), PageUp: () => focusAt(i - page),
      ArrowRight: () => { if (node && node.children && !node.open) toggle(node.id, true); else if (node?.open) focusAt(i + 1) },
      ArrowLeft: () => { if (node?.open) toggle(node.id, false); else focusAt(Math.max(0, lines.findIndex((l) => isNode(l) && l.id === line.of))) },
      Enter: () => (node ? onOpen(node.row) : wide(line.of)), o: () => node && onOpen(node.row), ' ': () => void (node ? take(node, true) : wide(line.of)), Escape: onEscape,
    }
    const f = does[key]
    if (!f) return
    if (key !== 'Tab') { e.preventDefault(); e.stopPropagation() }
    f()
  }
  const wide = (of: string) => setWider((old) => ({ ...old, [of]: (old[of] ?? 1) + 1 }))
  const items = virtual.getVirtualItems()
  const tab = items.some((x) => x.index === at) ? at : items[0]?.index
  if (levels.error && !lines.length) return <div className="flex-1"><Failure error={levels.error} retry={levels.retry} /></div>
  if (levels.loading) return <Skeleton rows={10} />
  return (
    <>
      <div className="t-bar">
        <div role="group" aria-label={t('tree.look')} className="flex flex-none rounded-md border border-line">
          {LOOKS.map(([l, Icon]) => <button key={l} type="button" aria-pressed={look === l} className={clsx('btn ghost sm', look === l ? 'on' : 'text-muted')} onClick={() => onOptions({ look: l })}><Icon size={14} />{t(`tree.look_${l}`)}</button>)}
        </div>
        <button type="button" className="btn ghost sm" onClick={() => setOpen(new Set([...open, ...nodes.filter((n) => n.children).map((n) => n.id)]))}>{t('tree.openMore')}</button>
        <button type="button" className="btn ghost sm" onClick={() => setOpen(new Set())}>{t('tree.closeAll')}</button>
        {held && <div data-node={ROOT} className={clsx('t-root', held.over === ROOT && 'over')}>{t('tree.top')}</div>}
      </div>
      {lines.length === 0 ? <Empty title={t('empty.title', { name: entity.plural.toLowerCase() })} text={entity.description ?? undefined}>{entity.can.create && <button type="button" className="btn primary" onClick={() => onCreate({})}>{t('newNamed', { name: entity.label })}</button>}</Empty>
        : look !== 'tree' ? <MindMap lines={lines} entity={entity} look={look} openId={openId} onToggle={toggle} onOpen={onOpen} onEscape={onEscape} />
          : (
            <div ref={scroller} className="t-scroll" onKeyDown={keys}>
                <div role="tree" aria-label={t('tree.label', { name: entity.plural })} aria-describedby={hint} style={{ position: 'relative', height: virtual.getTotalSize(), '--tall': `${tall}px` } as React.CSSProperties}>
                  {items.map((it) => {
                    const line = lines[it.index]!
                    const indent = { top: it.start, paddingInlineStart: 4 + (line.deep - 1) * (narrow ? 14 : 22) }
                    if (!isNode(line)) return <div key={`more-${line.of}`} role="treeitem" aria-selected={false} aria-level={line.deep} data-place={it.index} tabIndex={it.index === tab ? 0 : -1} className="t-line" style={indent} onFocus={() => setAt(it.index)} onClick={() => wide(line.of)} onKeyDown={() => {}}><span className="t-twist" /><span className="link">{t('tree.more', { n: formatNumber(line.shown, locale) })}</span></div>
                    const title = titleOf(entity, line.row)
                    const state = !held ? undefined : held.node.id === line.id ? (held.keys ? 'byKeys' : 'held') : held.over === line.id ? 'over' : mayGo(lines, held.node, line.id) ? undefined : 'no'
                    return (
                      <div key={line.id} role="treeitem" data-node={line.id} data-place={it.index} tabIndex={it.index === tab ? 0 : -1} aria-level={line.deep} aria-posinset={line.place} aria-setsize={line.size} aria-expanded={line.children ? line.open : undefined} aria-selected={line.id === openId} className={clsx('t-line', state, line.id === openId && 'open')} style={indent}
                        onFocus={() => setAt(it.index)} onPointerDown={(e) => { if (!(e.target as HTMLElement).closest('button')) grab(e, line) }} onClick={() => onOpen(line.row)} onKeyDown={() => {}}>
                        {line.children ? <button type="button" tabIndex={-1} className="t-twist" aria-label={t(line.open ? 'tree.close' : 'tree.open', { name: title })} onClick={(e) => { e.stopPropagation(); toggle(line.id) }}>{line.open ? <ChevronDown size={15} /> : <ChevronRight size={15} className="rtl:scale-x-[-1]" />}</button> : <span className="t-twist" />}
                        <span className="t-name">{title}{line.children > 0 && <span className="num text-faint font-normal ms-2">{formatNumber(line.children, locale)}</span>}</span>
                        {facts.map((f) => <span key={f.name} className={clsx('t-fact', typeOf(f).align)} title={f.label}>{!isEmpty(line.row[f.name]) && typeOf(f).align && f.type !== 'money' && <span className="text-faint text-xs me-1.5 truncate">{f.label}</span>}{!isEmpty(line.row[f.name]) && createElement(typeOf(f).Cell, { field: f, value: line.row[f.name], record: line.row, locale, currency: currencyOf(f, line.row), plain: true })}</span>)}
                      </div>
                    )
                  })}
                </div>
            </div>
          )}
      <p id={hint} className="visually-hidden">{t('tree.hint')}</p>
      <div role="status" aria-live="assertive" className="visually-hidden">{said}</div>
      {held && !held.keys && createPortal(<div ref={ghost} className="t-ghost ghosted" aria-hidden="true">{titleOf(entity, held.node.row)}</div>, document.querySelector('main') ?? document.body)}
    </>
  )
}

function MindMap({ lines, entity, look, openId, onToggle, onOpen, onEscape }: { lines: Line[]; entity: Entity; look: 'mind' | 'radial'; openId: string | undefined; onToggle: (id: string, to?: boolean) => void; onOpen: (row: Row) => void; onEscape: () => void }) {
  const { t } = useTranslation()
  const hint = useId()
  const root = useRef<HTMLDivElement>(null)
  const svg = useRef<SVGSVGElement>(null)
  const size = useBox(root)
  const [view, setView] = useState<{ x: number; y: number; k: number } | null>(null)
  const [at, setAt] = useState('')
  const { spots, branches, box } = useMemo(() => drawn(lines, entity, look), [lines, entity, look])
  const whole = () => { const k = Math.min(1.1, size.w / box.w, size.h / box.h); return { k, x: (size.w - box.w * k) / 2 - box.x * k, y: (size.h - box.h * k) / 2 - box.y * k } }
  // A large map begins where its root is, as large as can be read.
  const begin = () => {
    const all = whole()
    const root = spots.find((s) => s.node === null)!
    if (all.k >= 0.7) return all
    return look === 'mind' ? { k: 0.85, x: 24 - box.x * 0.85, y: size.h / 2 - root.y * 0.85 } : { k: 0.7, x: size.w / 2 - (root.x + root.w / 2) * 0.7, y: size.h / 2 - root.y * 0.7 }
  }
  const now = view ?? (size.w ? begin() : { x: 0, y: 0, k: 1 })
  useEffect(() => setView(null), [look])
  const zoom = (by: number, cx = size.w / 2, cy = size.h / 2) => { const k = Math.max(0.15, Math.min(3, now.k * by)); setView({ k, x: cx - ((cx - now.x) / now.k) * k, y: cy - ((cy - now.y) / now.k) * k }) }
  const latest = useRef({ zoom, now })
  latest.current = { zoom, now }
  useEffect(() => {
    const el = root.current
    // The page itself does not scroll under the map.
    const wheel = (e: WheelEvent) => { e.preventDefault(); const r = el!.getBoundingClientRect(); if (e.ctrlKey || e.metaKey) latest.current.zoom(Math.exp(-e.deltaY / 300), e.clientX - r.left, e.clientY - r.top); else setView({ ...latest.current.now, x: latest.current.now.x - e.deltaX, y: latest.current.now.y - e.deltaY }) }
    el?.addEventListener('wheel', wheel, { passive: false })
    return () => el?.removeEventListener('wheel', wheel)
  }, [])
  const fingers = useRef(new Map<number, { x: number; y: number }>())
  const [busy, setBusy] = useState(false)
  const moved = useRef(false)
  const down = (e: React.PointerEvent) => { if ((e.target as Element).closest('.t-tools')) return; fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY }); moved.current = false; setBusy(true) }
  const drag = (e: React.PointerEvent) => {
    const was = fingers.current.get(e.pointerId)
    if (!was) return
    const is = { x: e.clientX, y: e.clientY }
    if (!moved.current && Math.hypot(is.x - was.x, is.y - was.y) < 4) return
    if (!moved.current) { moved.current = true; root.current?.setPointerCapture(e.pointerId) }
    const other = [...fingers.current].find(([id]) => id !== e.pointerId)?.[1]
    if (other) { const r = root.current!.getBoundingClientRect(); zoom(Math.hypot(is.x - other.x, is.y - other.y) / Math.max(1, Math.hypot(was.x - other.x, was.y - other.y)), (is.x + other.x) / 2 - r.left, (is.y + other.y) / 2 - r.top) } else setView({ ...now, x: now.x + is.x - was.x, y: now.y + is.y - was.y })
    fingers.current.set(e.pointerId, is)
  }
  const up = (e: React.PointerEvent) => { fingers.current.delete(e.pointerId); if (!fingers.current.size) setBusy(false) }

  const focus = (id: string) => {
    const s = spots.find((x) => (x.node?.id ?? ROOT) === id)
    if (!s) return
    setAt(id)
    const [px, py] = [s.x * now.k + now.x, s.y * now.k + now.y]
    if (px < 20 || py < 20 || px + s.w * now.k > size.w - 20 || py > size.h - 20) setView({ ...now, x: size.w / 2 - (s.x + s.w / 2) * now.k, y: size.h / 2 - s.y * now.k })
    requestAnimationFrame(() => svg.current?.querySelector<SVGElement>(`[data-spot="${id}"]`)?.focus())
  }
  const keys = (e: React.KeyboardEvent) => {
    const id = (e.target as Element).closest<SVGElement>('[data-spot]')?.dataset.spot
    if (id === undefined || e.metaKey || e.altKey) return
    const node = lines.find((l): l is Node => isNode(l) && l.id === id)
    const kids = lines.filter((l): l is Node => isNode(l) && l.of === id)
    const peers = node ? lines.filter((l): l is Node => isNode(l) && l.deep === node.deep) : []
    const peer = (by: number) => { const n = peers[peers.findIndex((p) => p.id === id) + by]; if (n) focus(n.id) }
    const does: Record<string, () => void> = {
      ArrowRight: () => { if (node && node.children && !node.open) onToggle(id, true); else if (kids[0]) focus(kids[0].id) }, ArrowLeft: () => { if (node?.open) onToggle(id, false); else if (node) focus(node.of) },
      ArrowDown: () => peer(1), ArrowUp: () => peer(-1), Home: () => focus(ROOT), Enter: () => node && onOpen(node.row), ' ': () => node?.children && onToggle(id), '+': () => zoom(1.25), '=': () => zoom(1.25), '-': () => zoom(0.8), '0': () => setView(whole()), Escape: onEscape,
    }
    const f = does[e.key]
    if (!f) return
    e.preventDefault(); e.stopPropagation()
    f()
  }
  const save = () => {
    if (!svg.current) return
    const copy = svg.current.cloneNode(true) as SVGSVGElement
    const [live, still] = [[...svg.current.querySelectorAll('*')], [...copy.querySelectorAll('*')]]
    // Outside of the page its colours have no names.
    live.forEach((el, i) => { const c = getComputedStyle(el); const s = still[i] as SVGElement; for (const p of ['fill', 'stroke', 'stroke-width', 'font-size', 'font-weight']) s.style.setProperty(p, c.getPropertyValue(p)); for (const a of ['class', 'tabindex', 'role', 'data-spot', 'aria-expanded', 'aria-level']) s.removeAttribute(a) })
    copy.querySelector('g')?.removeAttribute('transform')
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
    copy.setAttribute('viewBox', `${box.x} ${box.y} ${box.w} ${box.h}`)
    copy.setAttribute('width', String(Math.round(box.w)))
    copy.setAttribute('height', String(Math.round(box.h)))
    copy.setAttribute('style', `background:${getComputedStyle(root.current!).backgroundColor};font-family:Inter,system-ui,sans-serif`)
    download(`${entity.plural}.svg`, 'image/svg+xml', new XMLSerializer().serializeToString(copy))
  }
  const tab = spots.some((s) => (s.node?.id ?? ROOT) === at) ? at : ROOT
  return (
    <div ref={root} className={clsx('t-map', busy && 'busy')} onPointerDown={down} onPointerMove={drag} onPointerUp={up} onPointerCancel={up} onKeyDown={keys}>
      <svg ref={svg} role="tree" aria-label={t('tree.label', { name: entity.plural })} aria-describedby={hint}>
        <g transform={`translate(${now.x},${now.y}) scale(${now.k})`} role="presentation">
          {branches.map((b) => <path key={b.to.node!.id} className="t-branch" aria-hidden="true" d={branchPath(b, look)} style={{ '--h': b.to.hue } as React.CSSProperties} />)}
          {spots.map((s) => {
            const id = s.node?.id ?? ROOT
            return (
              <g key={id} data-spot={id} role="treeitem" tabIndex={tab === id ? 0 : -1} aria-selected={id !== ROOT && id === openId} aria-level={(s.node?.deep ?? 0) + 1} aria-expanded={s.node ? (s.node.children ? s.node.open : undefined) : true} aria-label={s.node ? titleOf(entity, s.node.row) : entity.plural} className={clsx('t-spot', id !== ROOT && id === openId && 'open')} style={{ '--h': s.hue } as React.CSSProperties}
                transform={`translate(${s.x.toFixed(1)},${(s.y - SPOT / 2).toFixed(1)})`} onFocus={() => setAt(id)} onClick={() => { if (!moved.current && s.node) onOpen(s.node.row) }} onKeyDown={() => {}}>
                <rect className="t-box" width={s.w} height={SPOT} rx={8} />
                <text x={s.w / 2} y={SPOT / 2 + 4} textAnchor="middle" aria-hidden="true">{s.label}</text>
                {s.node && s.node.children > 0 && <g className="t-fold" aria-hidden="true" transform={`translate(${s.side === 1 ? s.w : 0},${SPOT / 2})`} onClick={(e) => { e.stopPropagation(); if (!moved.current) onToggle(s.node!.id) }}><circle r={9} /><text textAnchor="middle" y={3.5}>{s.node.open ? '−' : s.node.children}</text></g>}
              </g>
            )
          })}
        </g>
      </svg>
      <div className="t-tools" role="group" aria-label={t('tree.zoom')}>
        <button type="button" className="btn ghost icon sm" aria-label={t('tree.in')} title={t('tree.in')} onClick={() => zoom(1.25)}><Plus size={14} /></button>
        <button type="button" className="btn ghost icon sm" aria-label={t('tree.out')} title={t('tree.out')} onClick={() => zoom(0.8)}><Minus size={14} /></button>
        <button type="button" className="btn ghost icon sm" aria-label={t('tree.fit')} title={t('tree.fit')} onClick={() => setView(whole())}><Maximize size={14} /></button>
        <button type="button" className="btn ghost icon sm" aria-label={t('tree.save')} title={t('tree.save')} onClick={save}><Download size={14} /></button>
      </div>
      <p id={hint} className="visually-hidden">{t('tree.mapHint')}</p>
    </div>
  )
}
