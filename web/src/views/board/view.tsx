import './board.css'
import { useInfiniteQuery, useQuery, type InfiniteData } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ChevronDown, ChevronRight, Ellipsis, Plus } from 'lucide-react'
import { createElement, memo, useCallback, useEffect, useId, useImperativeHandle, useMemo, useRef, useState, type RefObject } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import { usePeople } from '@/api/people'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { phone } from '@/lib/narrow'
import { formatMoney, formatNumber, useLocale, type Locale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { editable, fieldOf, listFields, recordExpand, titleOf } from '@/meta/hooks'
import type { ActionSpec, Entity, Field, Option, Row } from '@/meta/types'
import { ActionDialog } from '@/record/action-dialog'
import { saveFields } from '@/record/save'
import { Chip, Confirm, Dialog, Failure, Labelled, Menu } from '@/ui/basics'
import { cardFields, laneFilter, lanesOf, nextLane, NONE, readLimits, totals, valueIn, waysFrom, type Total } from './state'
import { placeAt, useGesture } from '../gesture'
import type { ViewProps } from '../kind'

const PAGE = 30
type Pages = InfiniteData<records.Page, string | undefined>
interface Held { row: Row; from: string; over: string; ways: Map<string, string | null>; keys: boolean; fromSwim: string; overSwim: string }
interface LaneHandle { focus: (i: number) => boolean; rows: Row[] }
interface Asked { row: Row; from: string; to: string; swim: string; action: ActionSpec }

const dangerous = (a: ActionSpec | undefined) => a?.style === 'danger' || a?.style === 'destructive'
const laneOf = (row: Row, f: Field): string => (isEmpty(row[f.name]) ? NONE : String(row[f.name]))

const MANY = 40
/** Lanes that no choice names: the people or the records that cards stand with, by how much they hold. */
function useFound(f: Field | undefined, counts: Map<string, number> | null, none: string, yes: string, no: string): Option[] {
  const people = usePeople()
  const ids = f && counts && !f.options?.length ? [...counts].filter(([id]) => id !== NONE).sort((a, b) => b[1] - a[1]).slice(0, MANY).map(([id]) => id) : []
  const target = f?.type === 'relation' ? f.ref : undefined
  const { data } = useQuery({
    queryKey: ['titles', target?.entity, [...ids].sort()], enabled: !!target && ids.length > 0, staleTime: 60_000, retry: false,
    queryFn: () => records.list(target!.entity, { filter: { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: ids }] }, fields: ['id', target!.title_field].filter(Boolean).join(','), limit: 500, count: 'none' }).then((p) => new Map(p.data.map((r) => [r.id, String(r[target!.title_field ?? 'id'] ?? '')]))),
  })
  if (!f) return []
  const label = (id: string) => (f.type === 'boolean' ? (id === 'true' ? yes : no) : f.type === 'user' ? people.find((p) => p.id === id || p.user === id)?.name : data?.get(id)) || id.slice(0, 8) + '…'
  return [...ids.map((id) => ({ id, label: label(id), color: 'gray' })), ...(counts?.get(NONE) ? [{ id: NONE, label: none, color: 'gray' }] : [])]
}

export default function Board({ entity, by: { lanes: goesBy, swim: goesAcross }, columns, params: asked, options, onOptions, openId, handle, onOpen, onCreate, onEscape }: ViewProps) {
  const field = goesBy!
  const across = goesAcross === field ? undefined : goesAcross
  const { t } = useTranslation()
  const locale = useLocale()
  const hint = useId()
  const shown = useMemo(() => cardFields(entity, field, columns), [entity, field, columns])
  const params = useMemo(() => ({ ...asked, fields: listFields(entity, [field, ...(across ? [across] : []), ...shown]) }), [asked, entity, field, across, shown])
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
  const chosen = lanesOf(entity, field)
  const found = useFound(field, useMemo(() => (counted ? new Map([...counted].map(([id, x]) => [id, x.n])) : null), [counted]), t('board.none'), t('yes'), t('no'))
  const stages: Option[] = chosen.length ? [...chosen, ...(counted?.get(NONE)?.n ? [{ id: NONE, label: t('board.none'), color: 'gray' }] : [])] : found
  const order = stages.map((o) => o.id)
  const labelOf = (lane: string) => stages.find((o) => o.id === lane)?.label ?? t('board.none')

  // Rows across the columns: each cell is counted, each row can be closed.
  const cells = useQuery({
    queryKey: ['sums', entity.name, { swim: [field.name, across?.name], filter: asked.filter, q: asked.q }], staleTime: 20_000, enabled: !!across,
    queryFn: () => records.aggregate(entity.name, { group_by: [field.name, across!.name], metrics: [{ function: 'count', as: 'n' }], ...(asked.filter ? { filter: asked.filter } : {}), ...(asked.q ? { q: asked.q } : {}), limit: 10_000 }).then((r) => r.data),
  })
  const cellOf = useMemo(() => new Map((across ? cells.data ?? [] : []).map((r) => [`${r[across!.name] ?? NONE}|${r[field.name] ?? NONE}`, Number(r.n)])), [cells.data, across, field])
  const swimCounts = useMemo(() => { const out = new Map<string, number>(); for (const [k, n] of cellOf) { const id = k.slice(0, k.lastIndexOf('|')); out.set(id, (out.get(id) ?? 0) + n) } return out }, [cellOf])
  const foundSwims = useFound(across, swimCounts, t('board.none'), t('yes'), t('no'))
  const swims: Option[] = across ? (across.options?.length ? [...lanesOf(entity, across), ...(swimCounts.get(NONE) ? [{ id: NONE, label: t('board.none'), color: 'gray' }] : [])] : foundSwims) : [{ id: NONE, label: '' }]
  const swimLabel = (id: string) => swims.find((x) => x.id === id)?.label ?? t('board.none')
  const [shut, setShut] = useState<Set<string>>(new Set())
  const openSwims = swims.filter((x) => !shut.has(x.id)).map((x) => x.id)
  const keyOf = (lane: string, swim: string) => ['board', entity.name, field.name, lane, params, ...(across ? [across.name, swim] : [])]
  const swimOf = (row: Row) => (across ? (isEmpty(row[across.name]) ? NONE : String(row[across.name])) : NONE)

  const limits = useMemo(() => readLimits(options.wip), [options.wip])
  const folded = useMemo(() => new Set((options.folded ?? '').split(',').filter(Boolean)), [options.folded])
  const [limiting, setLimiting] = useState<Option | null>(null)
  const fold = (lane: string) => onOptions({ folded: (folded.has(lane || '-') ? [...folded].filter((x) => x !== (lane || '-')) : [...folded, lane || '-']).join(',') })
  const overLimit = (lane: string, more = 0): number => { const most = limits[lane || '-']; return most ? Math.max(0, (counted?.get(lane)?.n ?? 0) + more - most) : 0 }

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
    focus: () => void openSwims.some((s) => order.some((l) => lanes.current.get(`${s}|${l}`)?.focus(0))),
    step: (id, way) => { for (const l of lanes.current.values()) { const i = l.rows.findIndex((r) => r.id === id); if (i >= 0) return l.rows[i + way] } return undefined },
  }))

  /** Shown at once, taken back if the server says no. */
  const place = (row: Row, from: string, to: string, fromSwim: string, toSwim: string) => {
    const next = { ...row, [field.name]: valueIn(field, to), ...(across ? { [across.name]: valueIn(across, toSwim) } : {}) }
    queryClient.setQueryData<Pages>(keyOf(from, fromSwim), (d) => d && { ...d, pages: d.pages.map((p) => ({ ...p, data: p.data.filter((r) => r.id !== row.id) })) })
    queryClient.setQueryData<Pages>(keyOf(to, toSwim), (d) => (d ? { ...d, pages: d.pages.map((p, i) => (i ? p : { ...p, data: [next, ...p.data.filter((r) => r.id !== row.id)] })) } : { pages: [{ data: [next], next: null }], pageParams: [undefined] }))
  }
  const perform = async (row: Row, from: string, to: string, action: string | null, swim: string, body: Record<string, unknown> = {}) => {
    const title = titleOf(entity, row)
    const was = swimOf(row)
    const label = t('board.moved', { title, to: across && swim !== was ? `${labelOf(to)}, ${swimLabel(swim)}` : labelOf(to) })
    const aside = across && swim !== was ? { [across.name]: valueIn(across, swim) } : {}
    await queryClient.cancelQueries({ queryKey: ['board', entity.name] })
    place(row, from, to, was, swim)
    try {
      if (action === null || to === from) await saveFields(entity, row, { ...(to === from ? {} : { [field.name]: valueIn(field, to) }), ...aside }, label)
      else {
        let fresh = await records.act(entity.name, row, action, body)
        if (across && swim !== was) { await saveFields(entity, fresh, aside, label); fresh = { ...fresh, ...aside } } else {
          const back = waysFrom(entity, field, to).get(from)
          done(label, back && !entity.actions.find((a) => a.name === back)?.fields?.length ? async () => { await records.act(entity.name, fresh, back, {}); records.refresh(entity.name) } : undefined)
        }
      }
      const over = to === from ? 0 : overLimit(to, 1)
      setSaid(over ? `${label}. ${t('board.over_limit', { count: over, n: over })}` : label)
    } catch (e) {
      place({ ...row, [field.name]: valueIn(field, from) }, to, from, swim, was)
      setSaid(t('board.refused', { title, from: labelOf(from), why: messageOf(e) }))
      throw e
    } finally { records.refresh(entity.name) }
  }
  const refused = (row: Row) => (e: unknown) => { toast.error(`${titleOf(entity, row)}: ${messageOf(e)}`, { duration: 9000 }); focusCard(row.id, laneOf(row, field)) }
  const move = async ({ row, from, over: to, ways, keys, overSwim: swim, fromSwim }: Held) => {
    if (to === from) { if (swim !== fromSwim) { const going = perform(row, from, to, null, swim); if (keys) focusCard(row.id, to); await going.catch(refused(row)) } return }
    const way = ways.get(to)
    if (way === undefined) return
    const action = way === null ? undefined : entity.actions.find((a) => a.name === way) ?? { name: way, label: way }
    if (action?.fields?.length) {
      try { setAsking({ row: await records.read(entity.name, row.id, recordExpand(entity, [])), from, to, swim, action }) } catch (e) { refused(row)(e) }
    } else if (dangerous(action) || action?.confirm) setConfirming({ row, from, to, swim, action: action! })
    else { const going = perform(row, from, to, way, swim); if (keys) focusCard(row.id, to); await going.catch(refused(row)) }
  }

  const mayCross = !!across && entity.can.update && editable(across) && across.name !== entity.states?.field
  const take = (row: Row, keys: boolean): boolean => {
    const from = laneOf(row, field)
    const ways = waysFrom(entity, field, from, order)
    const title = titleOf(entity, row)
    if (ways.size === 0 && !mayCross) { setSaid(t('board.stays', { title })); return false }
    setHeld({ row, from, over: from, ways, keys, fromSwim: swimOf(row), overSwim: swimOf(row) })
    setSaid(t(keys ? 'board.takenKeys' : 'board.taken', { title, from: labelOf(from) }))
    return true
  }
  const letGo = () => { const h = holding.current; if (h) setSaid(t('board.left', { title: titleOf(entity, h.row), from: labelOf(h.from) })); setHeld(null) }
  const drop = () => { const h = holding.current; if (!h) return; if (h.over === h.from && h.overSwim === h.fromSwim) letGo(); else { setHeld(null); void move(h) } }
  const overLane = (lane: string | null, swim?: string) => {
    const h = holding.current
    if (!h) return
    const next = lane !== null && h.ways.has(lane) ? lane : h.from
    const side = !across ? h.fromSwim : lane !== null && swim !== undefined && (swim === h.fromSwim || (mayCross && (lane === h.from || h.ways.has(lane)) && !(across.required && swim === NONE))) ? swim : h.fromSwim
    if (next !== h.over || side !== h.overSwim) { setHeld({ ...h, over: next, overSwim: side }); setSaid(t('board.over', { to: across ? `${labelOf(next)}, ${swimLabel(side)}` : labelOf(next) })) }
  }
  const gesture = useGesture(scroller)
  const grab = (e: React.PointerEvent<HTMLElement>, row: Row) => gesture(e, {
    take: () => take(row, false), drop, cancel: letGo, ghost, along: 'pages',
    move: (p) => { const el = placeAt(p, '[data-lane]'); overLane(el ? el.dataset.lane! : null, el?.dataset.swim) },
  })

  const keys = (e: React.KeyboardEvent, row: Row, lane: string, i: number, swim: string) => {
    if (e.metaKey || e.ctrlKey || e.altKey) return
    const rtl = getComputedStyle(e.currentTarget).direction === 'rtl'
    const side = (e.key === 'ArrowRight') !== rtl ? 1 : -1
    const carried = held?.keys && held.row.id === row.id
    const of = (l: string, s = swim) => lanes.current.get(`${s}|${l}`)
    const focusLane = (from: number, way: 1 | -1) => { for (let l = from; l >= 0 && l < order.length; l += way) if (of(order[l]!)?.focus(i)) return }
    // Past the end of a cell lies the next row.
    const focusRow = (way: 1 | -1) => {
      const here = of(lane)
      if (!across || (here && here.rows[i + way])) { here?.focus(i + way); return }
      for (let s = openSwims.indexOf(swim) + way; s >= 0 && s < openSwims.length; s += way) if (of(lane, openSwims[s])?.focus(way === 1 ? 0 : Infinity)) return
    }
    const crossTo = (way: 1 | -1) => { const h = held; const next = openSwims[openSwims.indexOf(h?.overSwim ?? NONE) + way]; if (h && next !== undefined) { overLane(h.over, next); scroller.current?.querySelector(`[data-lane="${h.over}"][data-swim="${next}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' }) } }
    const go: Record<string, () => void> = carried ? {
      ArrowRight: () => carryTo(nextLane(order, held.over, side as 1 | -1, (l) => l === held.from || held.ways.has(l))),
      ArrowLeft: () => carryTo(nextLane(order, held.over, side as 1 | -1, (l) => l === held.from || held.ways.has(l))),
      Enter: drop, ' ': drop, Escape: letGo, Tab: letGo, ArrowUp: () => crossTo(-1), ArrowDown: () => crossTo(1),
    } : {
      ArrowDown: () => focusRow(1), ArrowUp: () => focusRow(-1),
      ArrowRight: () => focusLane(order.indexOf(lane) + side, side as 1 | -1), ArrowLeft: () => focusLane(order.indexOf(lane) + side, side as 1 | -1),
      Home: () => void of(lane)?.focus(0), End: () => void of(lane)?.focus(Infinity),
      Enter: () => onOpen(row), o: () => onOpen(row), ' ': () => void take(row, true), Escape: onEscape,
    }
    const carryTo = (l: string) => { overLane(l, held?.overSwim); scroller.current?.querySelector(`[data-lane="${l}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' }) }
    const f = go[e.key.length === 1 ? e.key.toLowerCase() : e.key]
    if (!f) return
    if (e.key !== 'Tab') { e.preventDefault(); e.stopPropagation() }
    f()
  }
  const api = useRef({ grab, keys, onOpen })
  api.current = { grab, keys, onOpen }

  const lane = (o: Option, i: number, swim: string, bare: boolean) => {
    const here = held && o.id === held.over && (!across || swim === held.overSwim)
    const home = held && o.id === held.from && (!across || swim === held.fromSwim)
    const may = !!held && (o.id === held.from ? mayCross : held.ways.has(o.id)) && (!across || swim === held.fromSwim || mayCross)
    const state = !held || (home && !here) ? undefined : here ? (home ? undefined : 'over') : may ? 'can' : 'no'
    const made = entity.can.create && (entity.states?.field === field.name ? i === 0 : o.id !== NONE)
    const preset = { ...(entity.states?.field === field.name ? {} : { [field.name]: valueIn(field, o.id) }), ...(across && swim !== NONE ? { [across.name]: valueIn(across, swim) } : {}) }
    const total = counted ? counted.get(o.id) ?? { n: 0, sums: [] } : null
    const n = across ? (cells.data ? cellOf.get(`${swim}|${o.id}`) ?? 0 : null) : total?.n ?? null
    return <Lane key={o.id} option={o} entity={entity} shown={shown} params={params} field={field} across={across} swim={swim} swimLabel={across ? swimLabel(swim) : ''} bare={bare} folded={folded.has(o.id || '-')} queryKey={keyOf(o.id, swim)} size={n} head={bare ? null : head(o, total, made ? () => onCreate(preset) : undefined)} locale={locale} state={state} heldId={held?.row.id} byKeys={!!held?.keys} openId={openId} hint={hint} api={api} scroller={scroller}
      bind={(l) => void (l ? lanes.current.set(`${swim}|${o.id}`, l) : lanes.current.delete(`${swim}|${o.id}`))} />
  }
  const head = (o: Option, total: Total | null, create: (() => void) | undefined) => (
    <LaneHead option={o} entity={entity} total={total} locale={locale} limit={limits[o.id || '-']} over={overLimit(o.id)} folded={folded.has(o.id || '-')} onFold={() => fold(o.id)} onLimit={() => setLimiting(o)} onCreate={create} />
  )
  return (
    <>
      {sums.error ? <div className="flex-1"><Failure error={sums.error} retry={() => void sums.refetch()} /></div> : across ? (
        <div ref={scroller} className={clsx('board swum', held && 'busy')} role="group" aria-label={t('board.label', { name: entity.plural })}>
          <div className="swim-heads">{stages.map((o) => <div key={o.id} className={clsx('swim-head', folded.has(o.id || '-') && 'folded')}>{head(o, counted ? counted.get(o.id) ?? { n: 0, sums: [] } : null, undefined)}</div>)}</div>
          {swims.map((s) => {
            const is = !shut.has(s.id)
            return (
              <section key={s.id} className="swim" aria-label={s.label}>
                <h2 className="swim-name"><button type="button" className="btn ghost sm" aria-expanded={is} onClick={() => setShut((old) => { const next = new Set(old); if (!next.delete(s.id)) next.add(s.id); return next })}>{is ? <ChevronDown size={14} /> : <ChevronRight size={14} className="rtl:scale-x-[-1]" />}{s.label}<span className="num text-muted">{formatNumber(String(swimCounts.get(s.id) ?? 0), locale)}</span></button></h2>
                {is && <div className="swim-cells">{stages.map((o, i) => lane(o, i, s.id, true))}</div>}
              </section>
            )
          })}
        </div>
      ) : (
        <div ref={scroller} className={clsx('board', held && 'busy')} role="group" aria-label={t('board.label', { name: entity.plural })}>{stages.map((o, i) => lane(o, i, NONE, false))}</div>
      )}
      <p id={hint} className="visually-hidden">{t('board.hint')}</p>
      <div role="status" aria-live="assertive" className="visually-hidden">{said}</div>
      {held && !held.keys && createPortal(<div ref={ghost} className="b-card ghosted" aria-hidden="true"><CardBody entity={entity} shown={shown} row={held.row} locale={locale} /></div>, document.querySelector('main') ?? document.body)}
      {confirming && <Confirm title={t('confirmAction', { action: confirming.action.label })} text={confirming.action.confirm ?? `${titleOf(entity, confirming.row)}: ${labelOf(confirming.from)} → ${labelOf(confirming.to)}`} action={confirming.action.label} danger={dangerous(confirming.action)} onClose={() => { setConfirming(null); focusCard(confirming.row.id, confirming.from) }}
        onConfirm={() => void perform(confirming.row, confirming.from, confirming.to, confirming.action.name, confirming.swim).then(() => focusCard(confirming.row.id, confirming.to), refused(confirming.row))} />}
      {asking && <ActionDialog entity={entity} action={asking.action} row={asking.row} onClose={() => { setAsking(null); focusCard(asking.row.id, asking.from) }} run={(body) => perform(asking.row, asking.from, asking.to, asking.action.name, asking.swim, body)} />}
      {limiting && <LimitDialog option={limiting} limit={limits[limiting.id || '-']} onClose={() => setLimiting(null)} onSave={(n) => { const { [limiting.id || '-']: _, ...rest } = limits; onOptions({ wip: JSON.stringify(n ? { ...rest, [limiting.id || '-']: n } : rest) }) }} />}
    </>
  )
}

type Api = RefObject<{ grab: (e: React.PointerEvent<HTMLElement>, row: Row) => void; keys: (e: React.KeyboardEvent, row: Row, lane: string, i: number, swim: string) => void; onOpen: (row: Row) => void }>

function LaneHead({ option, entity, total, locale, limit, over, folded, onFold, onLimit, onCreate }: { option: Option; entity: Entity; total: Total | null; locale: Locale; limit: number | undefined; over: number; folded: boolean; onFold: () => void; onLimit: () => void; onCreate: (() => void) | undefined }) {
  const { t } = useTranslation()
  const sums = total?.sums.filter((s) => !/^-?0*(\.0*)?$/.test(s.value)) ?? []
  const count = <span className={clsx('num flex-none whitespace-nowrap', over ? 'text-bad font-semibold' : 'text-muted')}>{total ? formatNumber(String(total.n), locale) : '…'}{limit ? ` / ${formatNumber(String(limit), locale)}` : ''}</span>
  if (folded) return <header className="lane-head"><button type="button" className="lane-unfold" aria-expanded={false} title={option.label} onClick={onFold}><ChevronRight size={14} className="rtl:scale-x-[-1]" /><span className="visually-hidden">{t('board.unfold', { lane: option.label })}</span>{count}<span className="lane-upright" aria-hidden="true">{option.label}</span></button></header>
  return (
    <header className="lane-head">
      <h2 className="m-0 flex min-w-0"><Chip option={option} /></h2>
      {count}
      {over > 0 && <span className="text-bad text-xs truncate" title={t('board.over_limit', { count: over, n: formatNumber(over, locale) })}>{t('board.over_limit', { count: over, n: formatNumber(over, locale) })}</span>}
      <span className="flex-1" />
      {sums.length > 0 && !over && <span className="num text-muted text-xs truncate" title={sums.map((s) => formatMoney(s.value, locale, s.currency)).join('\n')}>{sums.slice(0, 2).map((s) => formatMoney(s.value, locale, s.currency, true)).join(' · ')}{sums.length > 2 && ' …'}</span>}
      {onCreate && <button type="button" className="btn ghost icon sm" aria-label={t('board.newIn', { name: entity.label, lane: option.label })} onClick={onCreate}><Plus size={15} /></button>}
      <Menu align="end" trigger={<button type="button" className="btn ghost icon sm text-muted" aria-label={t('board.laneMenu', { lane: option.label })}><Ellipsis size={14} /></button>} items={[{ label: t('board.fold'), onSelect: onFold }, { label: t('board.limit'), hint: limit ? formatNumber(limit, locale) : undefined, onSelect: onLimit }]} />
    </header>
  )
}
function LimitDialog({ option, limit, onSave, onClose }: { option: Option; limit: number | undefined; onSave: (n: number) => void; onClose: () => void }) {
  const { t } = useTranslation()
  const [value, setValue] = useState(String(limit ?? ''))
  const save = () => { onSave(Math.max(0, Math.floor(Number(value) || 0))); onClose() }
  return <Dialog title={t('board.limitOf', { lane: option.label })} width={380} onClose={onClose} onSubmit={save} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary">{t('apply')}</button></>}><Labelled label={t('board.limit')} help={t('board.limitHelp')}>{(p) => <input {...p} className="input num" type="number" min={0} max={99999} value={value} onChange={(e) => setValue(e.target.value)} />}</Labelled></Dialog>
}

function Lane({ option, entity, field, across, swim, swimLabel, bare, folded, shown, params, queryKey, size, head, locale, state, heldId, byKeys, openId, hint, api, scroller, bind }: {
  option: Option; entity: Entity; field: Field; across: Field | undefined; swim: string; swimLabel: string; bare: boolean; folded: boolean; shown: Field[]; params: records.ListParams; queryKey: unknown[]; size: number | null; head: React.ReactNode; locale: Locale; state: 'over' | 'can' | 'no' | undefined; heldId: string | undefined; byKeys: boolean; openId: string | undefined; hint: string; api: Api
  scroller: RefObject<HTMLElement | null>; bind: (l: LaneHandle | null) => void
}) {
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
    queryKey, enabled: near && !folded && size !== 0, staleTime: 20_000, initialPageParam: undefined,
    queryFn: ({ pageParam, signal }) => records.list(entity.name, { ...params, filter: laneFilter(field, lane, params.filter, across, swim), limit: PAGE, count: 'none', ...(pageParam ? { cursor: pageParam } : {}) }, signal),
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
  return (
    <section ref={root} className={clsx('lane', state, folded && 'folded', bare && 'cell')} data-lane={lane} data-swim={swim} aria-label={bare ? `${option.label}, ${swimLabel}` : option.label}>
      {head}
      <div ref={body} className="lane-body">
        {folded ? null : pages.error ? <Failure error={pages.error} retry={() => void pages.refetch()} /> : rows.length > 0 ? (
          <div role="list" aria-label={option.label} style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {items.map((it) => {
              const row = rows[it.index]
              return row && (
                <div key={it.key} ref={virtual.measureElement} data-index={it.index} role="listitem" aria-setsize={size ?? -1} aria-posinset={it.index + 1} style={{ position: 'absolute', insetInlineStart: 0, width: '100%', top: it.start }}>
                  <Card entity={entity} shown={shown} row={row} lane={lane} swim={swim} index={it.index} locale={locale} tab={it.index === tab} hint={hint} api={api} onFocus={setAt} className={clsx(row.id === heldId && (byKeys ? 'held' : 'taken'), row.id === openId && 'open')} />
                </div>
              )
            })}
          </div>
        ) : pages.isLoading ? <div className="space-y-2">{[0, 1, 2].map((i) => <div key={i} className="skel" style={{ height: 44 + shown.length * 20, borderRadius: 8, background: 'var(--raised)' }} />)}</div> : null}
      </div>
    </section>
  )
}

const Card = memo(function Card({ entity, shown, row, lane, swim, index, locale, tab, hint, api, onFocus, className }: { entity: Entity; shown: Field[]; row: Row; lane: string; swim: string; index: number; locale: Locale; tab: boolean; hint: string; api: Api; onFocus: (i: number) => void; className: string }) {
  return (
    <div role="button" tabIndex={tab ? 0 : -1} className={clsx('b-card', className)} data-card={row.id} aria-describedby={hint} onFocus={() => onFocus(index)}
      onPointerDown={(e) => api.current.grab(e, row)} onClick={() => api.current.onOpen(row)} onKeyDown={(e) => api.current.keys(e, row, lane, index, swim)}>
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
