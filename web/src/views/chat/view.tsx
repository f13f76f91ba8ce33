import './chat.css'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { clsx } from 'clsx'
import { ArrowLeft, ExternalLink, MessagesSquare } from 'lucide-react'
import { lazy, Suspense, useEffect, useId, useImperativeHandle, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get } from '@/api/http'
import { listQuery, pathOf } from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatAgo, useLocale } from '@/lib/format'
import { useNarrow } from '@/lib/narrow'
import { fieldOf } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { Empty, Failure, Skeleton } from '@/ui/basics'
import type { ViewProps } from '../kind'

const Comments = lazy(() => import('@/record/comments'))

interface Talk { id: string; title: unknown; count: number; unread: number; last: { body: string; author: string | null; at: string } | null }
interface Talks { data: Talk[]; next: string | null }

/** Records as conversations, the last spoken of first; beside them what is said about the one that was chosen. */
export default function Chat({ entity, params, openId, handle, onOpen, onEscape }: ViewProps) {
  const { t } = useTranslation()
  const locale = useLocale()
  const narrow = useNarrow()
  const own = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['talk', entity.name, params.filter, params.q], initialPageParam: undefined as string | undefined, getNextPageParam: (p: Talks) => p.next ?? undefined, staleTime: 15_000,
    queryFn: ({ pageParam, signal }) => get<Talks>(`${pathOf(entity.name)}/_talk`, listQuery({ filter: params.filter ?? null, q: params.q ?? '', limit: 50, ...(pageParam ? { cursor: pageParam } : {}) }), signal),
  })
  const all = data?.pages.flatMap((p) => p.data) ?? []
  const virtual = useVirtualizer({ count: all.length, getScrollElement: () => scroller.current, estimateSize: () => 62, overscan: 8, getItemKey: (i) => all[i]!.id })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  useEffect(() => { if (data && hasNextPage && !isFetchingNextPage && last >= all.length - 4) void fetchNextPage() }, [data, hasNextPage, isFetchingNextPage, fetchNextPage, last, all.length])
  const focus = (i: number, tries = 8) => {
    virtual.scrollToIndex(i)
    const find = (left: number) => requestAnimationFrame(() => { const el = scroller.current?.querySelector<HTMLElement>(`[data-index="${i}"] button`); if (el) el.focus(); else if (left) find(left - 1) })
    find(tries)
  }
  useImperativeHandle(handle, () => ({ focus: () => focus(Math.max(0, all.findIndex((x) => x.id === (chosen ?? openId)))) }))
  const title = fieldOf(entity, entity.title_field ?? '')
  const nameOf = (x: Talk) => (title ? typeOf(title).format(x.title, title, locale) : typeof x.title === 'string' ? x.title : '') || x.id.slice(-6)
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />
  if (isPending) return <Skeleton />
  if (all.length === 0) return <Empty icon={<MessagesSquare size={24} />} title={t('nothingFound')} text={t('chat.noneText')} />
  const now = all.find((x) => x.id === chosen) ?? (narrow || chosen ? undefined : all[0])
  const shown = chosen ?? now?.id
  return (
    <div className="chatview flex-1 min-h-0 flex">
      {(!narrow || !chosen) && <div ref={scroller} className="talks flex-none min-h-0 overflow-auto border-e border-line p-2" role="presentation" onKeyDown={(e) => {
        const i = Number((e.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index ?? -1)
        if (e.key === 'Escape') onEscape()
        else if ((e.key === 'ArrowDown' || e.key === 'ArrowUp') && i >= 0) { e.preventDefault(); focus(Math.max(0, Math.min(all.length - 1, i + (e.key === 'ArrowDown' ? 1 : -1)))) }
      }}>
        <ul className="list-none m-0 p-0 relative" style={{ blockSize: virtual.getTotalSize() }} aria-label={entity.plural}>
          {items.map((item) => {
            const x = all[item.index]!
            return (
              <li key={item.key} data-index={item.index} ref={virtual.measureElement} style={{ position: 'absolute', insetBlockStart: 0, insetInline: 0, transform: `translateY(${item.start}px)` }}>
                <button type="button" aria-labelledby={`${own}${item.index}`} className={clsx('item talk', (x.id === shown || x.id === openId) && 'bg-hover')} aria-current={x.id === shown || undefined} onClick={() => setChosen(x.id)}>
                  <span id={`${own}${item.index}`} className="flex-1 min-w-0">
                    <span className="flex items-baseline gap-2"><span className={clsx('flex-1 truncate', x.unread > 0 && 'font-semibold')}>{nameOf(x)}</span>{x.last && <time className="text-faint text-xs" dateTime={x.last.at}>{formatAgo(x.last.at, locale)}</time>}</span>
                    <span className="flex items-center gap-2"><span className="flex-1 truncate text-muted text-xs">{x.last ? `${x.last.author ?? ''}: ${x.last.body}` : t('comments.none')}</span>
                      {x.unread > 0 ? <span className="badge" role="img" aria-label={t('record.newComments', { count: x.unread })}>{x.unread}</span> : x.count > 0 && <span className="text-faint text-xs num">{x.count}</span>}</span>
                  </span>
                </button>
              </li>
            )
          })}
        </ul>
      </div>}
      {shown && (!narrow || chosen) && (
        <section className="flex-1 min-w-0 min-h-0 flex flex-col" aria-label={now ? nameOf(now) : t('record.comments')}>
          <header className="flex items-center gap-2 h-11 px-3 border-b border-line flex-none">
            {narrow && <button type="button" className="btn ghost icon" aria-label={t('back')} onClick={() => setChosen(null)}><ArrowLeft size={17} className="rtl:scale-x-[-1]" /></button>}
            <h2 className="m-0 text-base font-semibold truncate flex-1">{now && nameOf(now)}</h2>
            <button type="button" className="btn sm" onClick={() => onOpen({ id: shown } as Row)}><ExternalLink size={14} aria-hidden="true" />{t('open')}</button>
          </header>
          <div className="flex-1 min-h-0 overflow-auto flex flex-col"><Suspense fallback={<Skeleton rows={4} />}><Comments key={shown} entity={entity.name} id={shown} wide={!narrow} /></Suspense></div>
        </section>
      )}
    </div>
  )
}
