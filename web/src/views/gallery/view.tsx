import './gallery.css'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { createElement, memo, useEffect, useId, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fileUrl } from '@/api/files'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { useLocale, type Locale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { fieldOf, listFields, titleOf } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { Chip, Failure } from '@/ui/basics'
import { useBox } from '../box'
import type { ViewProps } from '../kind'
import { countryName, isCountry, isCurrency } from '../pivot/cube'
import { useRows } from '../rows'
import { Cover } from './cover'

const GAP = 12
const LINE = 22
const LINES = 4
// A card is pressed as a whole: no links within.
const TEXTS = ['email', 'phone', 'url', 'file']

export default function Gallery({ entity, by, columns, params: asked, openId, handle, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const narrow = useNarrow()
  const hint = useId()
  const cover = by.cover
  const state = fieldOf(entity, entity.states?.field ?? '') ?? entity.fields.find((f) => f.type === 'select' && (entity.views?.board === f.name || entity.list.includes(f.name)))
  const shown = useMemo(() => columns.filter((c) => c !== cover && c !== state && c.name !== entity.title_field && !isCurrency(c) && !['json', 'file', 'uuid', 'textarea', 'richtext', 'signature'].includes(c.type)).slice(0, 9), [entity, state, columns, cover])
  const count = Math.min(LINES, shown.length)
  const params = useMemo(() => ({ ...asked, fields: listFields(entity, [...(cover ? [cover] : []), ...(state ? [state] : []), ...shown]) }), [asked, entity, cover, state, shown])
  const scroller = useRef<HTMLDivElement>(null)
  const width = useBox(scroller).w - 24
  const across = Math.max(1, Math.floor((width + GAP) / ((narrow ? 150 : 214) + GAP)))
  const wide = (width - GAP * (across - 1)) / across
  const pictured = Math.round(Math.min(cover ? 168 : 112, wide * 0.6))
  const high = pictured + 20 + 21 + count * LINE
  const [[first, last], setRange] = useState<[number, number]>([0, 40])
  const rows = useRows(entity.name, params, first, last, true)
  const total = rows.total || (rows.loading ? 24 : 0)
  const virtual = useVirtualizer({ count: Math.ceil(total / across), getScrollElement: () => scroller.current, estimateSize: () => high, gap: GAP, overscan: 2 })
  useEffect(() => { virtual.measure() }, [high, across])
  const items = virtual.getVirtualItems()
  const [from, to] = [(items[0]?.index ?? 0) * across, ((items.at(-1)?.index ?? 0) + 1) * across - 1]
  useEffect(() => { setRange([from, to]) }, [from, to])
  const [at, setAt] = useState(0)
  const focus = (i: number, tries = 10) => {
    const index = Math.max(0, Math.min(total - 1, i))
    setAt(index)
    virtual.scrollToIndex(Math.floor(index / across))
    const find = (left: number) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-place="${index}"]`); if (el) el.focus({ preventScroll: true }); else if (left) find(left - 1) })
    find(tries)
  }
  useImperativeHandle(handle, () => ({ focus: () => focus(at), step: (id, way) => { for (let i = 0; i < total; i++) if (rows.row(i)?.id === id) return rows.row(i + way); return undefined } }))
  const keys = (e: React.KeyboardEvent) => {
    const i = Number((e.target as HTMLElement).closest<HTMLElement>('[data-place]')?.dataset.place)
    if (Number.isNaN(i) || e.metaKey || e.ctrlKey || e.altKey) return
    const side = getComputedStyle(e.currentTarget).direction === 'rtl' ? -1 : 1
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? high) / (high + GAP))) * across
    const row = rows.row(i)
    const does: Record<string, () => void> = { ArrowRight: () => focus(i + side), ArrowLeft: () => focus(i - side), ArrowDown: () => focus(i + across), ArrowUp: () => focus(i - across), Home: () => focus(0), End: () => focus(total - 1), PageDown: () => focus(i + page), PageUp: () => focus(i - page), Enter: () => row && onOpen(row), ' ': () => row && onOpen(row), o: () => row && onOpen(row), Escape: onEscape }
    const f = does[e.key.length === 1 ? e.key.toLowerCase() : e.key]
    if (!f) return
    e.preventDefault(); e.stopPropagation()
    f()
  }
  const tab = at >= from && at <= to ? at : from
  return (
    <div ref={scroller} className="v-scroll" onKeyDown={keys}>
      {rows.error ? <Failure error={rows.error} retry={rows.retry} /> : width > 0 && (
        <div role="list" aria-label={t('gallery.label', { name: entity.plural })} style={{ position: 'relative', height: virtual.getTotalSize() }}>
          {items.flatMap((it) => Array.from({ length: Math.min(across, total - it.index * across) }, (_, c) => {
            const i = it.index * across + c
            const row = rows.row(i)
            return (
              <div key={i} role="listitem" aria-setsize={total} aria-posinset={i + 1} style={{ position: 'absolute', top: it.start, insetInlineStart: c * (wide + GAP), width: wide, height: high }}>
                {row ? <Card entity={entity} row={row} cover={cover} state={state} shown={shown} locale={locale} place={i} tab={i === tab} open={row.id === openId} pictured={pictured} hint={hint} onOpen={onOpen} onFocus={setAt} /> : <div className="skel" style={{ height: '100%', borderRadius: 10 }} />}
              </div>
            )
          }))}
        </div>
      )}
      <p id={hint} className="visually-hidden">{t('gallery.hint')}</p>
    </div>
  )
}

const Card = memo(function Card({ entity, row, cover, state, shown, locale, place, tab, open, pictured, hint, onOpen, onFocus }: { entity: Entity; row: Row; cover: Field | undefined; state: Field | undefined; shown: Field[]; locale: Locale; place: number; tab: boolean; open: boolean; pictured: number; hint: string; onOpen: (r: Row) => void; onFocus: (i: number) => void }) {
  const title = titleOf(entity, row)
  const option = state?.options?.find((o) => o.id === row[state.name])
  // What is empty makes room for what is not.
  const told = shown.filter((f) => !isEmpty(row[f.name]) && row[f.name] !== false).slice(0, LINES)
  return (
    <div role="button" tabIndex={tab ? 0 : -1} data-place={place} data-card={row.id} aria-describedby={hint} className={clsx('v-card', open && 'open')} onClick={() => onOpen(row)} onFocus={() => onFocus(place)} onKeyDown={() => {}}>
      <Cover src={pictureOf(row, cover)} title={title} height={pictured}>{option && <Chip option={option} />}</Cover>
      <span className="v-body">
        <span className="v-title" title={title}>{title}</span>
        {told.map((f) => {
          const value = row[f.name]
          const type = typeOf(f)
          const named = f.type === 'boolean' || (type.align === 'end' && f.type !== 'money') || told.some((x) => x !== f && x.type === f.type && ['date', 'datetime', 'money', 'user'].includes(f.type))
          return (
            <span key={f.name} className="v-line num" title={f.label}>
              <span className={named ? 'text-faint text-xs flex-none' : 'visually-hidden'}>{f.label}{!named && ':'}</span>
              {isCountry(f) ? <span className="txt">{countryName(String(value), locale.locale)}</span> : TEXTS.includes(f.type) ? <span className="txt">{type.format(value, f, locale)}</span> : f.type !== 'boolean' && createElement(type.Cell, { field: f, value, record: row, locale, currency: currencyOf(f, row), plain: true })}
            </span>
          )
        })}
      </span>
    </div>
  )
})

// A file need not be a picture, and not every picture can be shown.
const pictureOf = (row: Row, field: Field | undefined): string | undefined => {
  const id = ((field && (row[field.name] as { id: string; type?: string }[] | null)) ?? []).find((f) => f.type?.startsWith('image/'))?.id
  return id && fileUrl(id)
}
