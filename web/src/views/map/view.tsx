import './map.css'
import { useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { Maximize, Minus, Plus } from 'lucide-react'
import { useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { formatNumber } from '@/lib/format'
import { listFields, titleOf } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { Failure, Skeleton } from '@/ui/basics'
import { useBox } from '../box'
import type { ViewProps } from '../kind'
import { both, countryName, gather, isCountry, readDim, readMeasure, ruleOf } from '../pivot/cube'
import { useSay, useTable } from '../pivot/parts'
import { clusters, HIGH, longitudeOf, project, WIDE, type Pin } from './places'

const MOST = 500
const world = { queryKey: ['world'], staleTime: Infinity, queryFn: () => import('./world.json').then((m) => m.default as unknown as { shapes: Record<string, string>; dots: Record<string, [number, number]> }) }

export default function WorldMap({ entity, by, params, openId, handle, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const say = useSay()
  const { locale } = say
  const toTable = useTable()
  const place = by.place!
  const lon = isCountry(place) ? undefined : longitudeOf(place, entity)
  const country = isCountry(place) ? place : entity.fields.find((f) => isCountry(f) && f.filterable)
  const { data: land } = useQuery(world)
  const dim = useMemo(() => (country ? readDim(entity, {}, country.name) : undefined), [entity, country])
  const count = readMeasure(entity, 'count')!
  const counts = useQuery({ queryKey: ['sums', entity.name, { map: country?.name, filter: params.filter, q: params.q }], enabled: !!dim, staleTime: 20_000, queryFn: () => gather(entity, { dims: [dim!], measures: [count], currency: undefined, base: params }) })
  const asked: records.ListParams = { filter: both(params.filter, lon ? [{ field: place.name, operator: 'is_not_empty' }, { field: lon.name, operator: 'is_not_empty' }] : []) ?? null, ...(params.q ? { q: params.q } : {}), sort: '-id', fields: listFields(entity, [place, ...(lon ? [lon] : [])]), limit: MOST, count: 'none' }
  const rows = useQuery({ queryKey: ['rows', entity.name, { map: asked }], enabled: !!lon, staleTime: 20_000, queryFn: ({ signal }) => records.list(entity.name, asked, signal) })
  const ranked = useMemo(() => (counts.data?.facts ?? []).map((f) => ({ code: f.at[0]!, raw: f.raw[0], n: Number(f.sums[0]?.[0]?.value ?? 0) })).sort((a, b) => b.n - a.n), [counts.data])
  const by2 = useMemo(() => new Map(ranked.map((r) => [r.code.toUpperCase(), r])), [ranked])
  const most = Math.max(1, ...ranked.filter((r) => land?.shapes[r.code.toUpperCase()] ?? land?.dots[r.code.toUpperCase()]).map((r) => r.n))
  // By the root: a few large countries do not make all others alike.
  const level = (n: number) => (n <= 0 ? 0 : Math.max(1, Math.min(4, Math.ceil(Math.sqrt(n / most) * 4))))
  const pins = useMemo(() => (rows.data?.data ?? []).flatMap((r): Pin<Row>[] => {
    const [a, b] = [Number(r[place.name]), Number(r[lon!.name])]
    if (!Number.isFinite(a) || !Number.isFinite(b) || Math.abs(a) > 90 || Math.abs(b) > 180) return []
    const [x, y] = project(b, a)
    return [{ x, y, what: r }]
  }), [rows.data, place, lon])

  const root = useRef<HTMLDivElement>(null)
  const size = useBox(root, !!land)
  const [view, setView] = useState<{ k: number; x: number; y: number } | null>(null)
  const [tip, setTip] = useState('')
  const fit = Math.min(size.w / WIDE, size.h / HIGH) || 1
  const now = view ?? { k: fit, x: (size.w - WIDE * fit) / 2, y: (size.h - HIGH * fit) / 2 }
  const zoom = (by_: number, cx = size.w / 2, cy = size.h / 2) => { const k = Math.max(fit * 0.8, Math.min(fit * 60, now.k * by_)); setView({ k, x: cx - ((cx - now.x) / now.k) * k, y: cy - ((cy - now.y) / now.k) * k }) }
  const latest = useRef({ zoom, now })
  latest.current = { zoom, now }
  useEffect(() => {
    const el = root.current
    const wheel = (e: WheelEvent) => { e.preventDefault(); const r = el!.getBoundingClientRect(); latest.current.zoom(Math.exp(-e.deltaY / 400), e.clientX - r.left, e.clientY - r.top) }
    el?.addEventListener('wheel', wheel, { passive: false })
    return () => el?.removeEventListener('wheel', wheel)
  }, [!!land])
  const fingers = useRef(new Map<number, { x: number; y: number }>())
  const moved = useRef(false)
  const down = (e: React.PointerEvent) => { if ((e.target as Element).closest('.m-tools')) return; fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY }); moved.current = false }
  const drag = (e: React.PointerEvent) => {
    const was = fingers.current.get(e.pointerId)
    if (!was || (!moved.current && Math.hypot(e.clientX - was.x, e.clientY - was.y) < 4)) return
    if (!moved.current) { moved.current = true; root.current?.setPointerCapture(e.pointerId) }
    const other = [...fingers.current].find(([id]) => id !== e.pointerId)?.[1]
    const r = root.current!.getBoundingClientRect()
    if (other) zoom(Math.hypot(e.clientX - other.x, e.clientY - other.y) / Math.max(1, Math.hypot(was.x - other.x, was.y - other.y)), (e.clientX + other.x) / 2 - r.left, (e.clientY + other.y) / 2 - r.top)
    else setView({ ...now, x: now.x + e.clientX - was.x, y: now.y + e.clientY - was.y })
    fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
  }
  const up = (e: React.PointerEvent) => void fingers.current.delete(e.pointerId)
  useImperativeHandle(handle, () => ({ focus: () => root.current?.querySelector<SVGElement>('[tabindex="0"]')?.focus(), step: (id, way) => pins[pins.findIndex((p) => p.what.id === id) + way]?.what }))

  const error = counts.error ?? rows.error
  if (error) return <div className="flex-1"><Failure error={error} retry={() => { void counts.refetch(); void rows.refetch() }} /></div>
  if (!land) return <Skeleton rows={8} />
  const drill = (raw: unknown) => { if (!moved.current && dim) toTable(both(params.filter, [ruleOf(dim, raw, locale.zone)])) }
  const named = (code: string) => (code === '' ? t('pivot.none') : countryName(code.toUpperCase(), locale.locale))
  const said = (code: string, n: number) => `${named(code)}: ${t('records', { count: n, n: formatNumber(n, locale) })}, ${t(`pivot.heat_${level(n)}`)}`
  const shown = clusters(pins, 40 / now.k)
  const press = (f: () => void) => ({ onClick: f, onKeyDown: (e: React.KeyboardEvent) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); e.stopPropagation(); f() } } })
  const unplaced = ranked.filter((r) => r.code && !land.shapes[r.code.toUpperCase()] && !land.dots[r.code.toUpperCase()]).length
  return (
    <div className="m-all" onKeyDown={(e) => { const f = { '+': () => zoom(1.4), '=': () => zoom(1.4), '-': () => zoom(1 / 1.4), '0': () => setView(null), Escape: onEscape }[e.key]; if (f) { e.preventDefault(); f() } }}>
      <div ref={root} className="m-map" onPointerDown={down} onPointerMove={drag} onPointerUp={up} onPointerCancel={up} onPointerLeave={() => setTip('')}>
        <svg role="group" aria-label={t('map.label', { name: entity.plural })}>
          <g transform={`translate(${now.x},${now.y}) scale(${now.k})`}>
            {Object.entries(land.shapes).map(([code, d]) => {
              const r = by2.get(code)
              return r ? <path key={code} d={d} role="button" tabIndex={0} aria-label={said(r.code, r.n)} className={clsx('m-land m-can', `l${level(r.n)}`)} onPointerEnter={() => setTip(said(r.code, r.n))} onFocus={() => setTip(said(r.code, r.n))} {...press(() => drill(r.raw))} /> : <path key={code} d={d} className="m-land" aria-hidden="true" onPointerEnter={() => setTip('')} />
            })}
            {Object.entries(land.dots).map(([code, [x, y]]) => { const r = by2.get(code); return r && <circle key={code} cx={x} cy={y} r={5 / now.k} role="button" tabIndex={0} aria-label={said(r.code, r.n)} className={clsx('m-dot m-can', `l${level(r.n)}`)} onPointerEnter={() => setTip(said(r.code, r.n))} onFocus={() => setTip(said(r.code, r.n))} {...press(() => drill(r.raw))} /> })}
          </g>
          {shown.map((c) => {
            const many = c.pins.length
            const label = many > 1 ? t('map.cluster', { n: formatNumber(many, locale) }) : titleOf(entity, c.pins[0]!.what)
            const pick = () => { if (moved.current) return; if (many === 1) onOpen(c.pins[0]!.what); else zoom(3, c.x * now.k + now.x, c.y * now.k + now.y) }
            return <g key={`${c.pins[0]!.what.id}`} role="button" tabIndex={0} aria-label={label} className={clsx('m-pin', c.pins.some((p) => p.what.id === openId) && 'open')} transform={`translate(${c.x * now.k + now.x},${c.y * now.k + now.y})`} onPointerEnter={() => setTip(label)} onFocus={() => setTip(label)} {...press(pick)}><circle r={many > 1 ? Math.min(20, 9 + Math.log2(many) * 2) : 6} />{many > 1 && <text textAnchor="middle" y={4} aria-hidden="true">{many}</text>}</g>
          })}
        </svg>
        {tip && <div className="m-tip" aria-hidden="true">{tip}</div>}
        <div className="m-tools" role="group" aria-label={t('tree.zoom')}>
          <button type="button" className="btn ghost icon sm" aria-label={t('tree.in')} title={t('tree.in')} onClick={() => zoom(1.4)}><Plus size={14} /></button>
          <button type="button" className="btn ghost icon sm" aria-label={t('tree.out')} title={t('tree.out')} onClick={() => zoom(1 / 1.4)}><Minus size={14} /></button>
          <button type="button" className="btn ghost icon sm" aria-label={t('tree.fit')} title={t('tree.fit')} onClick={() => setView(null)}><Maximize size={14} /></button>
        </div>
      </div>
      {dim && (
        <div className="m-side">
          <table>
            <caption>{dim.field.label}{unplaced > 0 && ` · ${t('map.unplaced', { n: unplaced })}`}</caption>
            <tbody>{ranked.slice(0, 120).map((r) => <tr key={r.code}><th scope="row"><button type="button" onClick={() => { moved.current = false; drill(r.raw) }}>{named(r.code)}</button></th><td>{formatNumber(r.n, locale)}</td></tr>)}</tbody>
          </table>
          {rows.data?.next && <p className="text-muted text-xs">{t('map.cut', { n: formatNumber(MOST, locale) })}</p>}
        </div>
      )}
    </div>
  )
}
