import './activity.css'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import { useManages } from '@/api/session'
import { formatAgo, formatDate, formatInstant, formatNumber, useLocale } from '@/lib/format'
import { titleOf } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { Changes } from '@/record/history'
import { Avatar, Empty, Failure, Skeleton } from '@/ui/basics'
import type { ViewProps } from '../kind'
import { fromLog, fromRecords, KINDS, told, type Feed, type Kind, type Told } from './feed'

type Line = { day: string } | { told: Told; last: boolean }

export default function Activity({ entity, params, options, onOptions, openId, handle, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const people = usePeople()
  const manages = useManages()
  const scroller = useRef<HTMLDivElement>(null)
  const narrowed = !!params.filter?.rules.length || !!params.q
  const log = manages && !narrowed
  const actor = options.actor ?? ''
  const kind = KINDS.find((k) => k === options.kind) ?? 'all'
  const asked = useInfiniteQuery<Feed, Error, { pages: Feed[] }, unknown[], string | undefined>({
    queryKey: ['board', entity.name, 'activity', log ? { actor } : { filter: params.filter, q: params.q }], initialPageParam: undefined, getNextPageParam: (p) => p.next ?? undefined, staleTime: 20_000,
    queryFn: ({ pageParam, signal }) => (log ? fromLog(entity, actor, pageParam) : fromRecords(entity, params, pageParam, signal)),
  })
  const titles = useMemo(() => new Map((asked.data?.pages ?? []).flatMap((p) => p.titles).map((r) => [r.id, r])), [asked.data])
  const lines = useMemo<Line[]>(() => {
    const all = (asked.data?.pages ?? []).flatMap((p) => p.data).filter((x) => !actor || log || x.actor?.id === actor || people.find((p) => p.id === actor || p.user === actor)?.user === x.actor?.id)
    const out: Line[] = []
    const events = told(entity, all, kind, locale.zone)
    events.forEach((e, i) => {
      if (e.day !== events[i - 1]?.day) out.push({ day: e.day })
      out.push({ told: e, last: e.day !== events[i + 1]?.day })
    })
    return out
  }, [asked.data, entity, kind, locale.zone, actor, log, people])
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: (i) => ('day' in lines[i]! ? 38 : 74), overscan: 6, getItemKey: (i) => { const l = lines[i]!; return 'day' in l ? l.day : l.told.entries[0]!.id } })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  const { hasNextPage, isFetchingNextPage, fetchNextPage, data } = asked
  useEffect(() => { if (data && hasNextPage && !isFetchingNextPage && last >= lines.length - 4) void fetchNextPage() }, [data, hasNextPage, isFetchingNextPage, last, lines.length])
  useImperativeHandle(handle, () => ({ focus: () => scroller.current?.querySelector<HTMLElement>('button')?.focus() }))
  const move = (e: React.KeyboardEvent) => {
    if (e.key === 'Escape') { onEscape(); return }
    const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0
    const at = (e.target as HTMLElement).closest<HTMLElement>('[data-index]')
    if (!by || !at) return
    e.preventDefault()
    const from = Number(at.dataset.index)
    for (let i = from + by; i >= 0 && i < lines.length; i += by) {
      if ('day' in lines[i]!) continue
      virtual.scrollToIndex(i)
      const find = (tries: number) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-index="${i}"] button`); if (el) el.focus(); else if (tries) find(tries - 1) })
      find(8)
      return
    }
  }
  return (
    <>
      <div className="a-bar">
        <div role="group" aria-label={t('activity.kind')} className="flex flex-none rounded-md border border-line">
          {KINDS.filter((k) => k !== 'move' || entity.states).map((k) => <button key={k} type="button" aria-pressed={kind === k} className={clsx('btn ghost sm', kind === k ? 'on' : 'text-muted')} onClick={() => onOptions({ kind: k })}>{t(`activity.kind_${k}`)}</button>)}
        </div>
        <select className="input" style={{ width: 'auto', height: 28 }} aria-label={t('activity.who')} value={actor} onChange={(e) => onOptions({ actor: e.target.value })}>
          <option value="">{t('activity.anyone')}</option>
          {people.filter((p) => p.user).map((p) => <option key={p.id} value={p.user!}>{p.name}</option>)}
        </select>
        {!log && <span className="text-muted text-xs">{t('activity.some')}</span>}
      </div>
      <div ref={scroller} className="a-scroll" onKeyDown={move}>
        {asked.error && !asked.data ? <Failure error={asked.error} retry={() => void asked.refetch()} /> : asked.isPending ? <Skeleton rows={8} /> : lines.length === 0 && !hasNextPage ? <Empty title={t('activity.none')} /> : (
          <div role="group" aria-label={t('activity.label', { name: entity.plural })} style={{ position: 'relative', height: virtual.getTotalSize() }}>
            {items.map((it) => {
              const line = lines[it.index]!
              return (
                <div key={it.key} ref={virtual.measureElement} data-index={it.index} style={{ position: 'absolute', insetInlineStart: 0, width: '100%', top: it.start }}>
                  {'day' in line ? <h2 className="a-day">{formatDate(line.day, locale)}</h2> : <Event line={line.told} last={line.last} place={it.index + 1} size={hasNextPage ? -1 : lines.length} entity={entity} titles={titles} openId={openId} onOpen={onOpen} />}
                </div>
              )
            })}
          </div>
        )}
        {hasNextPage && lines.length === 0 && <button type="button" className="btn" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
      </div>
    </>
  )
}

const SHOWN = 3
function Event({ line, last, place, size, entity, titles, openId, onOpen }: { line: Told; last: boolean; place: number; size: number; entity: ViewProps['entity']; titles: Map<string, Row>; openId: string | undefined; onOpen: (r: Row) => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const people = usePeople()
  const [all, setAll] = useState(false)
  const [first] = line.entries
  const who = first!.actor?.name || t('system')
  const picture = people.find((p) => p.user && p.user === first!.actor?.id)?.picture
  const name = (x: Told['entries'][number]): string => {
    const said = entity.title_field ? x.changes?.[entity.title_field] : undefined
    const old = Array.isArray(said) ? said[1] ?? said[0] : undefined
    return titles.has(x.record) ? titleOf(entity, titles.get(x.record)) : typeof old === 'string' ? old : `${entity.label} …${x.record.slice(-6)}`
  }
  const shown = line.entries.slice(0, all ? 60 : SHOWN)
  const rest = line.entries.length - shown.length
  const lead = (x: Told['entries'][number]) => (titles.has(x.record) ? <button key={x.id} type="button" className={clsx('border-0 bg-transparent p-0 ref', x.record === openId && 'font-semibold')} onClick={() => onOpen(titles.get(x.record)!)}>{name(x)}</button> : <span key={x.id}>{name(x)}</span>)
  return (
    <article className={clsx('a-item', last && 'last')} aria-posinset={place} aria-setsize={size} aria-label={`${who}: ${t(`activity.did_${line.kind}`)} ${name(first!)}`}>
      <Avatar name={who} size={26} src={picture} />
      <div className="min-w-0 flex-1">
        <div style={{ overflowWrap: 'anywhere' }}>
          <strong className="font-semibold">{who}</strong> <span className="text-muted">{first!.action.toLowerCase() === 'restore' ? t('history.restore') : t(`activity.did_${line.kind}`)}</span> {shown.flatMap((x, i) => (i ? [', ', lead(x)] : [lead(x)]))}
          {rest > 0 && <> <button type="button" className="border-0 bg-transparent p-0 link" onClick={() => setAll(true)}>{t('activity.rest', { count: rest, n: formatNumber(rest, locale) })}</button></>} <time className="text-faint text-xs whitespace-nowrap" dateTime={first!.at} title={formatInstant(first!.at, locale)}>{formatAgo(first!.at, locale)}</time>
        </div>
        {(line.kind === 'move' || line.kind === 'update') && <Changes entity={entity} changes={first!.changes} locale={locale} />}
      </div>
    </article>
  )
}
export type { Kind }
