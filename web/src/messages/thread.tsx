import { useInfiniteQuery, type InfiniteData } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, post } from '@/api/http'
import { usePeople } from '@/api/people'
import { queryClient, useSession } from '@/api/session'
import { formatDate, instantToLocal, useLocale } from '@/lib/format'
import { Empty, Failure, Skeleton } from '@/ui/basics'
import { Message as Said, Waiting } from './message'
import { linesOf, readers, type Conversation, type Message, type Messages, type Unsent } from './talk'

type Place = { from?: number; before?: number }
/** Beyond this the reader begins where he left off, not at the end. */
const MANY = 30

interface Props {
  c: Conversation; at: number | undefined; thread: string | null; unsent: Unsent[]; editing: string | null
  onEdit: (id: string | null) => void; onReply: (m: Message) => void; onThread: (id: string) => void; onAgain: (u: Unsent) => void; onBack: (u: Unsent) => void; onArrived: (id: string) => void
}

/** What was written, by the screenful: older above, newer below; only what is in sight is drawn. */
export function Thread({ c, at, thread, unsent, editing, onEdit, onReply, onThread, onAgain, onBack, onArrived }: Props) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { me } = useSession()
  const own = me?.user.id
  const people = usePeople()
  // Where it begins is settled when it is opened: at a message that was asked for, where somebody left off, or at the end.
  const [start, setStart] = useState<Place>(() => (thread ? {} : at ? { from: Math.max(1, at - 10) } : c.unread > MANY ? { from: Math.max(1, c.read_number - 5) } : {}))
  const [newFrom] = useState<number | null>(() => (c.unread > 0 ? c.read_number + 1 : null))
  const [lit, setLit] = useState<number | null>(at ?? null)
  const key = ['conversation', c.id, 'messages', thread ?? '', start.from ?? 0]
  const { data, error, isPending, hasNextPage, hasPreviousPage, fetchNextPage, fetchPreviousPage, isFetchingPreviousPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    queryKey: key, initialPageParam: start, staleTime: 15_000,
    queryFn: ({ pageParam }) => get<Messages>(`/conversations/${c.id}/messages`, { ...pageParam, thread: thread ?? undefined }),
    getPreviousPageParam: (p): Place | undefined => { const first = p.data[0]?.number; return !thread && first && first > 1 ? { before: first } : undefined },
    getNextPageParam: (p, _, param): Place | undefined => { const last = p.data.at(-1)?.number; return !thread && last && (param.from ? p.more : param.before !== undefined || last < c.last_number) ? { from: last + 1 } : undefined },
  })
  const messages = useMemo(() => data?.pages.flatMap((p) => p.data) ?? [], [data])
  const tail = !hasNextPage
  const lines = useMemo(() => linesOf(messages, tail ? unsent : [], locale.zone, thread ? null : newFrom, own), [messages, unsent, tail, locale.zone, newFrom, own, thread])
  // The answer was lost on the way, not the message.
  useEffect(() => { for (const u of unsent) if (messages.some((m) => m.id === u.id)) onArrived(u.id) }, [messages, unsent, onArrived])
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: (i) => (lines[i]?.kind === 'message' ? 52 : 34), overscan: 8, getItemKey: (i) => lines[i]!.key })
  const [low, setLow] = useState(true)
  const bottom = useRef(true)
  const placed = useRef(false)
  const toEnd = useRef(false)
  const oldest = useRef<string | undefined>(undefined)
  const lineOf = (number: number) => lines.findIndex((l) => l.kind === 'message' && l.message.number === number)

  useLayoutEffect(() => {
    if (!lines.length) return
    if (!placed.current) {
      placed.current = true
      const fresh = lines.findIndex((l) => l.kind === 'new')
      const wanted = lit ? lineOf(lit) : toEnd.current ? -1 : fresh
      if (wanted > 0) { bottom.current = false; virtual.scrollToIndex(wanted, { align: lit ? 'center' : 'start' }) } else virtual.scrollToIndex(lines.length - 1, { align: 'end' })
    } else if (oldest.current && lines[0]!.key !== oldest.current) {
      // Older ones came in above: what was in sight stays there.
      const was = lines.findIndex((l) => l.key === oldest.current)
      if (was > 0 && !bottom.current) virtual.scrollToIndex(was, { align: 'start' })
    } else if (bottom.current) virtual.scrollToIndex(lines.length - 1, { align: 'end' })
    oldest.current = lines.find((l) => l.kind === 'message')?.key
  }, [lines]) // eslint-disable-line react-hooks/exhaustive-deps
  const look = () => {
    const el = box.current
    if (!el) return
    bottom.current = el.scrollHeight - el.scrollTop - el.clientHeight < 60
    setLow(bottom.current)
    if (el.scrollTop < 200 && hasPreviousPage && !isFetchingPreviousPage && placed.current) void fetchPreviousPage()
    if (bottom.current && hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }
  const size = virtual.getTotalSize()
  useEffect(() => { if (bottom.current && tail && placed.current) virtual.scrollToIndex(lines.length - 1, { align: 'end' }); look() }, [size, hasNextPage]) // eslint-disable-line react-hooks/exhaustive-deps

  // Read is what is on the screen of somebody who looks at it.
  const last = messages.at(-1)?.number ?? 0
  useEffect(() => {
    if (thread || !low || last <= c.read_number) return
    const mark = () => {
      if (document.visibilityState !== 'visible' || !bottom.current) return
      void post<Conversation>(`/conversations/${c.id}/read`, { number: last }).then(() => Promise.all([queryClient.invalidateQueries({ queryKey: ['conversation', c.id], exact: true }), queryClient.invalidateQueries({ queryKey: ['conversations'] }), queryClient.invalidateQueries({ queryKey: ['notifications'] })]), () => { /* the next look marks it */ })
    }
    mark()
    addEventListener('visibilitychange', mark)
    return () => removeEventListener('visibilitychange', mark)
  }, [c.id, c.read_number, last, low, thread])
  useEffect(() => {
    const edit = () => { const mine = messages.findLast((m) => m.created_by === own && !m.deleted); if (mine) onEdit(mine.id) }
    addEventListener('fondaco:edit-last', edit)
    return () => removeEventListener('fondaco:edit-last', edit)
  }, [messages, own, onEdit])
  useEffect(() => { if (lit === null) return; const timer = setTimeout(() => setLit(null), 2500); return () => clearTimeout(timer) }, [lit])

  const go = (number: number) => {
    setLit(number)
    const i = lineOf(number)
    if (i >= 0) { bottom.current = false; virtual.scrollToIndex(i, { align: 'center' }); return }
    placed.current = false
    setStart({ from: Math.max(1, number - 10) })
  }
  // Another search hit of the same conversation.
  const asked = useRef(at)
  useEffect(() => { if (at !== undefined && at !== asked.current) { asked.current = at; go(at) } }, [at]) // eslint-disable-line react-hooks/exhaustive-deps
  const end = () => {
    bottom.current = toEnd.current = true
    if (hasNextPage) { placed.current = false; setStart({}) } else virtual.scrollToIndex(lines.length - 1, { align: 'end' })
  }
  const stale = () => void queryClient.invalidateQueries({ queryKey: ['conversation', c.id] })
  const put = (id: string) => (change: (m: Message) => Message) => queryClient.setQueryData<InfiniteData<Messages>>(key, (old) => (old ? { ...old, pages: old.pages.map((p) => ({ ...p, data: p.data.map((m) => (m.id === id ? change(m) : m)) })) } : old))
  const members = c.members ?? []
  const mine = people.find((p) => p.user === own)
  const latest = messages.findLast((m) => m.created_by === own && !m.deleted)
  const seen = latest && !thread ? readers(members, latest.number, own) : []
  const today = instantToLocal(new Date().toISOString(), locale.zone).slice(0, 10)
  if (error && !data) return <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
  if (isPending) return <div className="flex-1"><Skeleton rows={8} /></div>
  return (
    <div className="flex-1 min-h-0 relative flex flex-col">
      <div ref={box} className="thread flex-1 min-h-0 overflow-auto px-3 py-2" tabIndex={0} role="log" aria-label={t('messages.written')} onScroll={look}>
        {lines.length === 0 ? <Empty title={t('messages.begun')} text={t('messages.begunText')} /> : (
          <div style={{ blockSize: size, position: 'relative' }}>
            {virtual.getVirtualItems().map((item) => {
              const l = lines[item.index]!
              return (
                <div key={item.key} data-index={item.index} ref={virtual.measureElement} style={{ position: 'absolute', insetBlockStart: 0, insetInline: 0, transform: `translateY(${item.start}px)`, paddingBlockStart: l.kind === 'message' && !l.follows ? 6 : 0 }}>
                  {l.kind === 'day' ? <div className="daymark">{l.key === today ? t('messages.today') : formatDate(l.key, locale)}</div>
                    : l.kind === 'new' ? <div className="daymark new">{t('messages.newOnes')}</div>
                    : l.kind === 'unsent' ? <Waiting u={l.unsent} name={mine?.name ?? ''} picture={mine?.picture} onAgain={() => onAgain(l.unsent)} onEdit={() => onBack(l.unsent)} />
                    : <><Said m={l.message} follows={l.follows} own={own} people={people} members={members} lit={lit === l.message.number} readonly={c.archived} editing={editing === l.message.id} onEdit={(on) => onEdit(on ? l.message.id : null)} onReply={() => onReply(l.message)} onGo={go} onThread={onThread} onPut={put(l.message.id)} onStale={stale} />
                      {l.message === latest && seen.length > 0 && <div className="text-faint text-2xs text-end pe-2" title={seen.map((m) => m.name).join(', ')}>{c.kind === 'direct' ? t('messages.isRead') : t('messages.readBy', { count: seen.length })}</div>}</>}
                </div>
              )
            })}
          </div>
        )}
      </div>
      {!low && <button type="button" className="btn absolute" style={{ insetBlockEnd: 10, insetInlineEnd: 16 }} onClick={end}><ArrowDown size={14} aria-hidden="true" />{c.unread > 0 ? t('messages.newHere', { count: c.unread }) : t('messages.toEnd')}</button>}
    </div>
  )
}
