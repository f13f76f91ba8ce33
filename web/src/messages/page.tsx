import './messages.css'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { Archive, BellOff, Hash, Lock, MessagesSquare, Plus, Users } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get } from '@/api/http'
import { usePeople, type Person } from '@/api/people'
import { formatAgo, useLocale } from '@/lib/format'
import { useKeys } from '@/lib/keys'
import { useNarrow } from '@/lib/narrow'
import { Avatar, Empty, Failure, Skeleton } from '@/ui/basics'
import { Begin } from './begin'
import { Pane } from './pane'
import { nameOf, type Conversation, type Conversations, type Message } from './talk'

/** People write to each other: conversations on the one side, what was written on the other. */
export function MessagesPage() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const narrow = useNarrow()
  const { id } = useParams({ from: '/house/messages/{-$id}' })
  const { at } = useSearch({ from: '/house/messages/{-$id}' })
  const [beginning, setBeginning] = useState(false)
  const [archived, setArchived] = useState(false)
  const [text, setText] = useState('')
  const [asked, setAsked] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => { const timer = setTimeout(() => setAsked(text.trim()), 200); return () => clearTimeout(timer) }, [text])
  useEffect(() => { document.title = `${t('messages.title')} · Fondaco` }, [t])
  const { data, error, isPending, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['conversations', 'list', archived], staleTime: 15_000, initialPageParam: undefined as string | undefined, getNextPageParam: (p: Conversations) => p.next ?? undefined,
    queryFn: ({ pageParam }) => get<Conversations>('/conversations', { cursor: pageParam, archived: archived || undefined }),
  })
  const all = data?.pages.flatMap((p) => p.data) ?? []
  const shown = text.trim() ? all.filter((c) => nameOf(c, '').toLowerCase().includes(text.trim().toLowerCase())) : all
  const found = useQuery({ queryKey: ['conversations', 'search', asked], enabled: asked.length > 1, staleTime: 15_000, queryFn: () => get<{ data: Message[] }>('/messages', { q: asked }).then((r) => r.data) })
  const go = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLAnchorElement>('a[data-talk]') ?? [])]
    const now = links.findIndex((l) => l === document.activeElement)
    const next = now < 0 ? Math.max(0, links.findIndex((l) => l.getAttribute('aria-current'))) : Math.max(0, Math.min(links.length - 1, now + by))
    links[next]?.focus()
  }
  useKeys({ n: () => setBeginning(true), '/': () => field.current?.focus(), j: () => go(1), k: () => go(-1), ArrowDown: () => go(1), ArrowUp: () => go(-1) })
  const people = usePeople()
  return (
    <div className="flex-1 min-h-0 flex">
      {(!narrow || !id) && (
        <section className="talks flex flex-col flex-none border-e border-line min-h-0" aria-label={t('messages.list')}>
          <div className="flex items-center gap-2 px-4 pt-4 pb-2">
            <h1 className="text-lg font-semibold m-0 flex-1">{t('messages.title')}</h1>
            <button type="button" className={clsx('btn ghost icon', archived && 'on')} aria-pressed={archived} aria-label={t('messages.archived')} title={t('messages.archived')} onClick={() => setArchived(!archived)}><Archive size={16} /></button>
            <button type="button" className="btn ghost icon" aria-label={t('messages.new')} title={`${t('messages.new')} (N)`} onClick={() => setBeginning(true)}><Plus size={17} /></button>
          </div>
          <div className="px-4 pb-2"><input ref={field} type="search" className="input" aria-label={t('messages.search')} placeholder={t('messages.search')} value={text} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => { if (e.key === 'Escape' && text) { e.preventDefault(); setText('') } else if (e.key === 'ArrowDown') { e.preventDefault(); go(0) } }} /></div>
          <div ref={list} className="flex-1 min-h-0 overflow-auto px-2 pb-2">
            {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : shown.length === 0 && !found.data?.length ? (
              <Empty icon={<MessagesSquare size={24} />} title={t(text ? 'nothingFound' : archived ? 'messages.noneArchived' : 'messages.none')} text={text || archived ? undefined : t('messages.noneText')}>
                {!text && !archived && <button type="button" className="btn primary" onClick={() => setBeginning(true)}>{t('messages.new')}</button>}
              </Empty>
            ) : <ul className="list-none m-0 p-0">{shown.map((c) => <li key={c.id}><TalkLink c={c} people={people} on={c.id === id} /></li>)}</ul>}
            {hasNextPage && !text && <button type="button" className="btn m-2" onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
            {asked.length > 1 && (found.data?.length ?? 0) > 0 && <>
              <h2 className="m-0 mt-3 mb-1 px-2 text-2xs font-semibold text-faint">{t('messages.found')}</h2>
              <ul className="list-none m-0 p-0">{found.data!.map((m) => <li key={m.id}><FoundLink m={m} c={all.find((c) => c.id === m.conversation_id)} /></li>)}</ul>
            </>}
          </div>
        </section>
      )}
      {id ? <Pane key={id} id={id} at={Number(at) > 0 ? Number(at) : undefined} narrow={narrow} /> : !narrow && <div className="flex-1 grid place-items-center"><Empty icon={<MessagesSquare size={26} />} title={t('messages.choose')} text={t('messages.chooseText')} /></div>}
      {beginning && <Begin onClose={() => setBeginning(false)} onBegun={(c) => { setBeginning(false); setArchived(false); void navigate({ to: '/messages/{-$id}', params: { id: c.id }, search: {} }) }} />}
    </div>
  )
}

export function Face({ c, people, size = 28 }: { c: Conversation; people: Person[]; size?: number }) {
  const other = c.people[0]
  if (c.kind === 'direct' && other) return <Avatar name={other.name} size={size} src={people.find((p) => p.id === other.id)?.picture} />
  const Icon = c.kind === 'channel' ? (c.open ? Hash : Lock) : Users
  return <span className="grid place-items-center flex-none rounded-full bg-sunken text-muted" style={{ width: size, height: size }} aria-hidden="true"><Icon size={size / 2} /></span>
}

function TalkLink({ c, people, on }: { c: Conversation; people: Person[]; on: boolean }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const name = nameOf(c, t('messages.alone'))
  const last = c.last && (c.last.deleted ? t('messages.gone') : `${c.kind === 'direct' || !c.last.author ? '' : `${c.last.author}: `}${c.last.body || t('messages.file')}`)
  return (
    <Link to="/messages/{-$id}" params={{ id: c.id }} search={{}} data-talk={c.id} aria-current={on ? 'page' : undefined} className={clsx('item talk no-underline text-fg', on && 'bg-hover')}>
      <Face c={c} people={people} />
      <span className="flex-1 min-w-0">
        <span className="flex items-baseline gap-2"><span className={clsx('flex-1 truncate', c.unread > 0 && !c.muted && 'font-semibold')}>{name}</span><time className="text-faint text-xs flex-none" dateTime={c.last_at}>{formatAgo(c.last_at, locale)}</time></span>
        <span className="flex items-center gap-2"><span className="flex-1 truncate text-muted text-xs">{last ?? t('messages.nothingYet')}</span>
          {c.muted && <BellOff size={12} className="text-faint" role="img" aria-label={t('messages.isMuted')} />}
          {c.unread > 0 && <span className={clsx('badge', c.muted && 'quiet')} role="img" aria-label={t('messages.newHere', { count: c.unread })}>{c.unread > 99 ? '99+' : c.unread}</span>}</span>
      </span>
    </Link>
  )
}

function FoundLink({ m, c }: { m: Message; c: Conversation | undefined }) {
  const { t } = useTranslation()
  const locale = useLocale()
  return (
    <Link to="/messages/{-$id}" params={{ id: m.conversation_id }} search={{ at: String(m.number) }} data-talk={m.id} className="item talk no-underline text-fg">
      <span className="flex-1 min-w-0">
        <span className="flex items-baseline gap-2"><span className="flex-1 truncate font-medium">{m.author}{c && <span className="text-muted font-normal"> · {nameOf(c, t('messages.alone'))}</span>}</span><time className="text-faint text-xs" dateTime={m.created_at}>{formatAgo(m.created_at, locale)}</time></span>
        <span className="line-clamp-2 text-muted text-xs" style={{ overflowWrap: 'anywhere' }}>{m.body}</span>
      </span>
    </Link>
  )
}
