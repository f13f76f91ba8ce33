import './board.css'
import { useInfiniteQuery, useQuery, type InfiniteData } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { Plus } from 'lucide-react'
import { createElement, memo, useCallback, useEffect, useId, useImperativeHandle, useMemo, useRef, useState, type RefObject } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { phone } from '@/lib/narrow'
import { formatMoney, formatNumber, useLocale, type Locale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { fieldOf, listFields, recordExpand, titleOf } from '@/meta/hooks'
import type { ActionSpec, Entity, Field, Option, Row } from '@/meta/types'
import { ActionDialog } from '@/record/action-dialog'
import { saveFields } from '@/record/save'
import { Chip, Confirm, Failure } from '@/ui/basics'
import { cardFields, laneFilter, lanesOf, nextLane, NONE, totals, waysFrom, type Total } from './state'
import { useCarry } from '../carry'
import type { ViewProps } from '../kind'

const PAGE = 30
type Pages = InfiniteData<records.Page, string | undefined>
interface Held { row: Row; from: string; over: string; ways: Map<string, string | null>; keys: boolean }
interface LaneHandle { focus: (i: number) => boolean; rows: Row[] }
interface Asked { row: Row; from: string; to: string; action: ActionSpec }

const dangerous = (a: ActionSpec | undefined) => a?.style === 'danger' || a?.style === 'destructive'
const laneOf = (row: Row, f: Field): string => (isEmpty(row[f.name]) ? NONE : String(row[f.name]))

export default function Board({ entity, by: { lanes: goesBy }, columns, params: asked, openId, handle, onOpen, onCreate, onEscape }: ViewProps) {
  const field = goesBy!
  const { t } = useTranslation()
  const locale = useLocale()
  const hint = useId()
  const shown = useMemo(() => cardFields(entity, field, columns), [entity, field, columns])
  const params = useMemo(() => ({ ...asked, fields: listFields(entity, [field, ...shown]) }), [asked, entity, field, shown])
  const scroller = useRef<HTMLDivElement>(null)
  const ghost = useRef<HTMLDivElement>(null)
  const lanes = useRef(new Map<string, LaneHandle>())
  const [held, setHeld] = useState<Held | null>(null)
  const holding = useRef(held)
  holding.current = held
  const [said, setSaid] = useState('')
  const [asking, setAsking] = useState<Asked | null>(null)
  const [confirming, setConfirming] = useState<Asked | null>(null)

  // Sums mean something over documents only, as under a table.
  const money = entity.document ? columns.find((f) => f.type === 'money') : undefined
  const by = money ? ['currency', 'currency_code'].map((n) => fieldOf(entity, n)).find((f) => !!f) : undefined
  const sums = useQuery({
    queryKey: ['sums', entity.name, { board: field.name, filter: asked.filter, q: asked.q, money: money?.name }], staleTime: 20_000,
    queryFn: () => records.aggregate(entity.name, { group_by: [field.name, ...(by ? [by.name] : [])], metrics: [{ function: 'count', as: 'n' }, ...(money ? [{ function: 'sum', field: money.name, as: 'sum' }] : [])], ...(asked.filter ? { filter: asked.filter } : {}), ...(asked.q ? { q: asked.q } : {}), limit: 500 }).then((r) => r.data),
  })
  const counted = useMemo(() => (sums.data ? totals(sums.data, field, by?.name) : null), [sums.data, field, by])
  const options = useMemo<Option[]>(() => [...lanesOf(entity, field), ...(counted?.get(NONE)?.n ? [{ id: NONE, label: t('board.none'), color: 'gray' }] : [])], [entity, field, counted, t])
  const order = options.map((o) => o.id)
  const labelOf = (lane: string) => options.find((o) => o.id === lane)?.label ?? t('board.none')
  const keyOf = (lane: string) => ['board', entity.name, field.name, lane, params]

  // A narrow screen shows one column at a time: it begins with the first that has something.
  const begun = useRef(false)
  useEffect(() => {
    if (!counted || begun.current) return
    begun.current = true
    const first = order.find((l) => counted.get(l)?.n)
    if (phone.matches && first) scroller.current?.querySelector(`[data-lane="${first}"]`)?.scrollIntoView({ inline: 'start', block: 'nearest' })
  }, [counted])
  const focusCard = (id: string, lane: string, tries = 40) => requestAnimationFrame(() => {
    const el = scroller.current?.querySelector<HTMLElement>(`[data-lane="${lane}"] [data-card="${id}"]`)
    if (el) el.focus(); else if (tries) focusCard(id, lane, tries - 1)
  })
  useImperativeHandle(handle, () => ({
    focus: () => void order.some((l) => lanes.current.get(l)?.focus(0)),
    step: (id, way) => { for (const l of lanes.current.values()) { const i = l.rows.findIndex((r) => r.id === id); if (i >= 0) return l.rows[i + way] } return undefined },
  }))

  /** Shown at once, taken back if the server says no. */
  const place = (row: Row, from: string, to: string) => {
    const next = { ...row, [field.name]: to === NONE ? null : to }
    queryClient.setQueryData<Pages>(keyOf(from), (d) => d && { ...d, pages: d.pages.map((p) => ({ ...p, data: p.data.filter((r) => r.id !== row.id) })) })
    queryClient.setQueryData<Pages>(keyOf(to), (d) => (d ? { ...d, pages: d.pages.map((p, i) => (i ? p : { ...p, data: [next, ...p.data.filter((r) => r.id !== row.id)] })) } : { pages: [{ data: [next], next: null }], pageParams: [undefined] }))
  }
  const perform = async (row: Row, from: string, to: string, action: string | null, body: Record<string, unknown> = {}) => {
    const title = titleOf(entity, row)
    const label = t('board.moved', { title, to: labelOf(to) })
    await queryClient.cancelQueries({ queryKey: ['board', entity.name] })
    place(row, from, to)
    try {
      if (action === null) await saveFields(entity, row, { [field.name]: to === NONE ? null : to }, label)
      else {
        const fresh = await records.act(entity.name, row, action, body)
        const back = waysFrom(entity, field, to).get(from)
        done(label, back && !entity.actions.find((a) => a.name === back)?.fields?.length ? async () => { await records.act(entity.name, fresh, back, {}); records.refresh(entity.name) } : undefined)
      }
      setSaid(label)
    } catch (e) {
      place({ ...row, [field.name]: from }, to, from)
      setSaid(t('board.refused', { title, from: labelOf(from), why: messageOf(e) }))
      throw e
    } finally { records.refresh(entity.name) }
  }
  const refused = (row: Row) => (e: unknown) => { toast.error(`${titleOf(entity, row)}: ${messageOf(e)}`, { duration: 9000 }); focusCard(row.id, laneOf(row, field)) }
  const move = async ({ row, from, over: to, ways, keys }: Held) => {
    const way = ways.get(to)
    if (to === from || way === undefined) return
    const action = way === null ? undefined : entity.actions.find((a) => a.name === way) ?? { name: way, label: way }
    if (action?.fields?.length) {
      try { setAsking({ row: await records.read(entity.name, row.id, recordExpand(entity, [])), from, to, action }) } catch (e) { refused(row)(e) }
    } else if (dangerous(action) || action?.confirm) setConfirming({ row, from, to, action: action! })
    else { const going = perform(row, from, to, way); if (keys) focusCard(row.id, to); await going.catch(refused(row)) }
  }

  const take = (row: Row, keys: boolean): boolean => {
    const from = laneOf(row, field)
    const ways = waysFrom(entity, field, from)
    const title = titleOf(entity, row)
    if (ways.size === 0) { setSaid(t('board.stays', { title })); return false }
    setHeld({ row, from, over: from, ways, keys })
    setSaid(t(keys ? 'board.takenKeys' : 'board.taken', { title, from: labelOf(from) }))
    return true
  }
  const letGo = () => { const h = holding.current; if (h) setSaid(t('board.left', { title: titleOf(entity, h.row), from: labelOf(h.from) })); setHeld(null) }
  const drop = () => { const h = holding.current; if (!h) return; if (h.over === h.from) letGo(); else { setHeld(null); void move(h) } }
  const overLane = (lane: string | null) => {
    const h = holding.current
    if (!h) return
    const next = lane !== null && h.ways.has(lane) ? lane : h.from
    if (next !== h.over) { setHeld({ ...h, over: next }); setSaid(t('board.over', { to: labelOf(next) })) }
  }
  const grab = useCarry<Row>(scroller, ghost, '[data-lane]', { take: (row) => take(row, false), over: (el) => overLane(el ? el.dataset.lane! : null), drop, cancel: letGo })

  const keys = (e: React.KeyboardEvent, row: Row, lane: string, i: number) => {
    if (e.metaKey || e.ctrlKey || e.altKey) return
    const rtl = getComputedStyle(e.currentTarget).direction === 'rtl'
    const side = (e.key === 'ArrowRight') !== rtl ? 1 : -1
    const carried = held?.keys && held.row.id === row.id
    const focusLane = (from: number, way: 1 | -1) => { for (let l = from; l >= 0 && l < order.length; l += way) if (lanes.current.get(order[l]!)?.focus(i)) return }
    const go: Record<string, () => void> = carried ? {
      ArrowRight: () => carryTo(nextLane(order, held.over, side as 1 | -1, (l) => l === held.from || held.ways.has(l))),
      ArrowLeft: () => carryTo(nextLane(order, held.over, side as 1 | -1, (l) => l === held.from || held.ways.has(l))),
      Enter: drop, ' ': drop, Escape: letGo, Tab: letGo, ArrowUp: () => {}, ArrowDown: () => {},
    } : {
      ArrowDown: () => void lanes.current.get(lane)?.focus(i + 1), ArrowUp: () => void lanes.current.get(lane)?.focus(i - 1),
      ArrowRight: () => focusLane(order.indexOf(lane) + side, side as 1 | -1), ArrowLeft: () => focusLane(order.indexOf(lane) + side, side as 1 | -1),
      Home: () => void lanes.current.get(lane)?.focus(0), End: () => void lanes.current.get(lane)?.focus(Infinity),
      Enter: () => onOpen(row), o: () => onOpen(row), ' ': () => void take(row, true), Escape: onEscape,
    }
    const carryTo = (l: string) => { overLane(l); scroller.current?.querySelector(`[data-lane="${l}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' }) }
    const f = go[e.key.length === 1 ? e.key.toLowerCase() : e.key]
    if (!f) return
    if (e.key !== 'Tab') { e.preventDefault(); e.stopPropagation() }
    f()
  }
  const api = useRef({ grab, keys, onOpen })
  api.current = { grab, keys, onOpen }

  return (
    <>
      {sums.error ? <div className="flex-1"><Failure error={sums.error} retry={() => void sums.refetch()} /></div> : (
        <div ref={scroller} className={clsx('board', held && 'busy')} role="group" aria-label={t('board.label', { name: entity.plural })}>
          {options.map((o, i) => {
            const state = !held || o.id === held.from ? undefined : o.id === held.over ? 'over' : held.ways.has(o.id) ? 'can' : 'no'
            const may = entity.can.create && (entity.states?.field === field.name ? i === 0 : o.id !== NONE)
            return <Lane key={o.id} option={o} entity={entity} shown={shown} params={params} field={field} queryKey={keyOf(o.id)} total={counted ? counted.get(o.id) ?? { n: 0, sums: [] } : null} locale={locale} state={state} heldId={held?.row.id} byKeys={!!held?.keys} openId={openId} hint={hint} api={api} scroller={scroller}
              bind={(l) => void (l ? lanes.current.set(o.id, l) : lanes.current.delete(o.id))} onCreate={may ? () => onCreate(entity.states?.field === field.name ? {} : { [field.name]: o.id }) : undefined} />
          })}
        </div>
      )}
      <p id={hint} className="visually-hidden">{t('board.hint')}</p>
      <div role="status" aria-live="assertive" className="visually-hidden">{said}</div>
      {held && !held.keys && createPortal(<div ref={ghost} className="b-card ghosted" aria-hidden="true"><CardBody entity={entity} shown={shown} row={held.row} locale={locale} /></div>, document.querySelector('main') ?? document.body)}
      {confirming && <Confirm title={t('confirmAction', { action: confirming.action.label })} text={confirming.action.confirm ?? `${titleOf(entity, confirming.row)}: ${labelOf(confirming.from)} → ${labelOf(confirming.to)}`} action={confirming.action.label} danger={dangerous(confirming.action)} onClose={() => { setConfirming(null); focusCard(confirming.row.id, confirming.from) }}
        onConfirm={() => void perform(confirming.row, confirming.from, confirming.to, confirming.action.name).then(() => focusCard(confirming.row.id, confirming.to), refused(confirming.row))} />}
      {asking && <ActionDialog entity={entity} action={asking.action} row={asking.row} onClose={() => { setAsking(null); focusCard(asking.row.id, asking.from) }} run={(body) => perform(asking.row, asking.from, asking.to, asking.action.name, body)} />}
    </>
  )
}

type Api = RefObject<{ grab: (e: React.PointerEvent<HTMLElement>, row: Row) => void; keys: (e: React.KeyboardEvent, row: Row, lane: string, i: number) => void; onOpen: (row: Row) => void }>

function Lane({ option, entity, field, shown, params, queryKey, total, locale, state, heldId, byKeys, openId, hint, api, scroller, bind, onCreate }: {
  option: Option; entity: Entity; field: Field; shown: Field[]; params: records.ListParams; queryKey: unknown[]; total: Total | null; locale: Locale; state: 'over' | 'can' | 'no' | undefined; heldId: string | undefined; byKeys: boolean; openId: string | undefined; hint: string; api: Api
  scroller: RefObject<HTMLElement | null>; bind: (l: LaneHandle | null) => void; onCreate: (() => void) | undefined
}) {
  const { t } = useTranslation()
  const lane = option.id
  const root = useRef<HTMLElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const [near, setNear] = useState(false)
  const [at, setAt] = useState(0)
  // A column that is out of sight, or known to be empty, asks for nothing.
  useEffect(() => {
    if (!root.current) return
    const eye = new IntersectionObserver((all) => { if (all.some((x) => x.isIntersecting)) { setNear(true); eye.disconnect() } }, { root: scroller.current, rootMargin: '0px 300px' })
    eye.observe(root.current)
    return () => eye.disconnect()
  }, [])
  const pages = useInfiniteQuery<records.Page, Error, Pages, unknown[], string | undefined>({
    queryKey, enabled: near && total?.n !== 0, staleTime: 20_000, initialPageParam: undefined,
    queryFn: ({ pageParam, signal }) => records.list(entity.name, { ...params, filter: laneFilter(field, lane, params.filter), limit: PAGE, count: 'none', ...(pageParam ? { cursor: pageParam } : {}) }, signal),
    getNextPageParam: (last) => last.next ?? undefined,
  })
  const rows = useMemo(() => pages.data?.pages.flatMap((p) => p.data) ?? [], [pages.data])
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => body.current, estimateSize: () => 44 + shown.length * 23, gap: 8, overscan: 5, getItemKey: (i) => rows[i]?.id ?? i })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages
  useEffect(() => { if (hasNextPage && !isFetchingNextPage && last >= rows.length - 6) void fetchNextPage() }, [hasNextPage, isFetchingNextPage, last, rows.length])
  const focus = useCallback((i: number): boolean => {
    if (rows.length === 0) return false
    const to = Math.max(0, Math.min(rows.length - 1, i))
    setAt(to)
    virtual.scrollToIndex(to)
    root.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    const find = (tries: number) => requestAnimationFrame(() => { const el = body.current?.querySelector<HTMLElement>(`[data-index="${to}"] [data-card]`); if (el) el.focus({ preventScroll: true }); else if (tries) find(tries - 1) })
    find(8)
    return true
  }, [rows, virtual])
  useEffect(() => { bind({ focus, rows }); return () => bind(null) })
  const tab = items.some((x) => x.index === at) ? at : items[0]?.index
  const sums = total?.sums.filter((s) => !/^-?0*(\.0*)?$/.test(s.value)) ?? []
  return (
    <section ref={root} className={clsx('lane', state)} data-lane={lane} aria-label={option.label}>
      <header className="lane-head">
        <h2 className="m-0 flex min-w-0"><Chip option={option} /></h2>
        <span className="num text-muted">{total ? formatNumber(String(total.n), locale) : '…'}</span>
        <span className="flex-1" />
        {sums.length > 0 && <span className="num text-muted text-xs truncate" title={sums.map((s) => formatMoney(s.value, locale, s.currency)).join('\n')}>{sums.slice(0, 2).map((s) => formatMoney(s.value, locale, s.currency, true)).join(' · ')}{sums.length > 2 && ' …'}</span>}
        {onCreate && <button type="button" className="btn ghost icon sm" aria-label={t('board.newIn', { name: entity.label, lane: option.label })} onClick={onCreate}><Plus size={15} /></button>}
      </header>
      <div ref={body} className="lane-body">
        {pages.error ? <Failure error={pages.error} retry={() => void pages.refetch()} /> : rows.length > 0 ? (
          <div role="list" aria-label={option.label} style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {items.map((it) => {
              const row = rows[it.index]
              return row && (
                <div key={it.key} ref={virtual.measureElement} data-index={it.index} role="listitem" aria-setsize={total?.n ?? -1} aria-posinset={it.index + 1} style={{ position: 'absolute', insetInlineStart: 0, width: '100%', top: it.start }}>
                  <Card entity={entity} shown={shown} row={row} lane={lane} index={it.index} locale={locale} tab={it.index === tab} hint={hint} api={api} onFocus={setAt} className={clsx(row.id === heldId && (byKeys ? 'held' : 'taken'), row.id === openId && 'open')} />
                </div>
              )
            })}
          </div>
        ) : pages.isLoading ? <div className="space-y-2">{[0, 1, 2].map((i) => <div key={i} className="skel" style={{ height: 44 + shown.length * 20, borderRadius: 8, background: 'var(--raised)' }} />)}</div> : null}
      </div>
    </section>
  )
}

const Card = memo(function Card({ entity, shown, row, lane, index, locale, tab, hint, api, onFocus, className }: { entity: Entity; shown: Field[]; row: Row; lane: string; index: number; locale: Locale; tab: boolean; hint: string; api: Api; onFocus: (i: number) => void; className: string }) {
  return (
    <div role="button" tabIndex={tab ? 0 : -1} className={clsx('b-card', className)} data-card={row.id} aria-describedby={hint} onFocus={() => onFocus(index)}
      onPointerDown={(e) => api.current.grab(e, row)} onClick={() => api.current.onOpen(row)} onKeyDown={(e) => api.current.keys(e, row, lane, index)}>
      <CardBody entity={entity} shown={shown} row={row} locale={locale} />
    </div>
  )
})

function CardBody({ entity, shown, row, locale }: { entity: Entity; shown: Field[]; row: Row; locale: Locale }) {
  return (
    <>
      <span className="block font-medium" style={{ overflowWrap: 'anywhere' }}>{titleOf(entity, row)}</span>
      {shown.map((f) => {
        const value = row[f.name]
        if (isEmpty(value) || value === false) return null
        const type = typeOf(f)
        // Two dates side by side, or a bare number, say nothing without their names.
        const named = f.type === 'boolean' || (type.align === 'end' && f.type !== 'money') || shown.some((x) => x !== f && x.type === f.type && ['date', 'datetime', 'money', 'user'].includes(f.type))
        return (
          <span key={f.name} className="b-line num" title={f.label}>
            <span className={named ? 'text-faint text-xs flex-none' : 'visually-hidden'}>{f.label}{!named && ':'}</span>
            {f.type !== 'boolean' && createElement(type.Cell, { field: f, value, record: row, locale, currency: currencyOf(f, row), plain: true })}
          </span>
        )
      })}
    </>
  )
}
