import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { Check, CheckCheck, Clock, Inbox as InboxIcon, Mail, MailOpen, Undo2 } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, messageOf } from '@/api/http'
import { formatInstant, instantToLocal, localToInstant, useLocale } from '@/lib/format'
import { useKeys } from '@/lib/keys'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { Empty, Failure, Labelled, Popover, Skeleton } from '@/ui/basics'
import { isOff, PLACES, put, readAll, type News, type Notification, type Place, type State } from './news'
import { Told, useTitles } from './told'

const PAGE = 30

/** Everything that somebody was told: what waits, what he put off, what he put away. Worked through by keys alone. */
export function Inbox() {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const place: Place = useSearch({ from: '/house/inbox' }).in ?? 'inbox'
  const [held, setHeld] = useState<{ id: string; at: number } | null>(null)
  const [snoozing, setSnoozing] = useState<string | null>(null)
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set())
  const rows = useRef(new Map<string, HTMLAnchorElement>())
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    queryKey: ['notifications', 'list', place], initialPageParam: undefined as string | undefined, staleTime: 15_000, refetchInterval: 60_000,
    getNextPageParam: (p: News) => (p.data.length === PAGE ? p.data.at(-1)!.id : undefined),
    queryFn: ({ pageParam }) => get<News>('/notifications', { state: place, limit: PAGE, before: pageParam }),
  })
  const all = (data?.pages.flatMap((p) => p.data) ?? []).filter((n, i, every) => !gone.has(n.id) && every.findIndex((x) => x.id === n.id) === i)
  const unread = data?.pages[0]?.unread ?? 0
  const titles = useTitles(all)
  useEffect(() => { document.title = `${t('inbox.title')} · Fondaco` }, [t])
  useEffect(() => { setHeld(null); setGone(new Set()) }, [place])

  // Held by its id: what comes and goes around it leaves it in hand. When it went itself, what took its place is next.
  const found = held ? all.findIndex((n) => n.id === held.id) : 0
  const at = found >= 0 ? found : Math.min(held!.at, all.length - 1)
  const now = all[at]
  const go = (to: number) => { const n = all[Math.max(0, Math.min(all.length - 1, to))]; if (n) rows.current.get(n.id)?.focus() }
  const move = async (n: Notification, state: State, until?: string) => {
    const i = all.indexOf(n)
    const leaves = state === 'done' || state === 'snoozed' || state === 'inbox' || (place === 'unread' && state === 'read')
    // It leaves the list at once; the next one takes its place under the fingers.
    const next = all[i + 1] ?? all[i - 1]
    if (leaves) { setGone((g) => new Set([...g, n.id])); if (next) rows.current.get(next.id)?.focus() }
    const back = () => setGone((g) => new Set([...g].filter((x) => x !== n.id)))
    try {
      await put(n, state, until)
      await refetch()
      back()
      const was: State = n.done_at ? 'done' : isOff(n) ? 'snoozed' : n.read_at ? 'inbox' : 'unread'
      if (leaves && state !== 'read') done(state === 'done' ? t('inbox.isDone') : state === 'snoozed' ? t('inbox.isOff', { when: formatInstant(until, locale) }) : t('inbox.isBack'), () => put(n, was, was === 'snoozed' ? n.snoozed_until! : undefined))
    } catch (e) { back(); toast.error(messageOf(e)) }
  }
  useKeys({
    j: () => go(at + (document.activeElement?.closest('[data-notice]') ? 1 : 0)), ArrowDown: () => go(at + (document.activeElement?.closest('[data-notice]') ? 1 : 0)),
    k: () => go(at - 1), ArrowUp: () => go(at - 1),
    e: () => now && void move(now, place === 'done' ? 'inbox' : 'done'),
    s: () => { if (now && place !== 'done') setSnoozing(now.id) },
    u: () => now && void move(now, now.read_at ? 'unread' : 'read'),
  })

  return (
    <div className="flex-1 min-h-0 flex flex-col">
      <div className="flex items-center gap-2 px-6 pt-4 pb-2 max-md:px-4 flex-wrap">
        <h1 className="text-lg font-semibold m-0 flex-1">{t('inbox.title')}</h1>
        {unread > 0 && <button type="button" className="btn" onClick={() => void readAll().catch((e) => toast.error(messageOf(e)))}><CheckCheck size={15} aria-hidden="true" />{t('inbox.readAll')}</button>}
      </div>
      <nav className="tabs !px-6 max-md:!px-4 flex-none overflow-x-auto" aria-label={t('inbox.places')}>
        {PLACES.map((p) => <Link key={p} to="/inbox" search={p === 'inbox' ? {} : { in: p }} className="place" aria-current={p === place ? 'page' : undefined}>{t(`inbox.place_${p}`)}{p === 'unread' && unread > 0 && <span className="badge ms-1.5">{unread}</span>}</Link>)}
      </nav>
      <div className="flex-1 min-h-0 overflow-auto px-4 py-2 max-md:px-2">
        {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : all.length === 0 ? <Empty icon={<InboxIcon size={26} />} title={t(`inbox.none_${place}`)} text={place === 'inbox' ? t('inbox.noneText') : undefined} /> : (
          <ul className="list-none m-0 p-0 max-w-[860px]" aria-label={t(`inbox.place_${place}`)}>
            {all.map((n, i) => (
              <li key={n.id} data-notice={n.id} className={clsx('group flex items-start border-b border-line py-0.5', n === now && 'bg-hover rounded-md')}>
                <span className="flex-1 min-w-0"><Told n={n} titles={titles} anchor={(e) => { if (e) rows.current.set(n.id, e); else rows.current.delete(n.id) }} onFocus={() => setHeld({ id: n.id, at: i })} /></span>
                <span className="flex gap-0.5 pt-2 pe-1 flex-none">
                  <button type="button" className="btn ghost icon sm text-muted max-md:!hidden" aria-label={n.read_at ? t('inbox.markUnread') : t('inbox.markRead')} title={`${n.read_at ? t('inbox.markUnread') : t('inbox.markRead')} (U)`} onClick={() => void move(n, n.read_at ? 'unread' : 'read')}>{n.read_at ? <Mail size={15} /> : <MailOpen size={15} />}</button>
                  {place !== 'done' && <Snooze open={snoozing === n.id} onOpenChange={(o) => setSnoozing(o ? n.id : null)} onPick={(until) => { setSnoozing(null); void move(n, 'snoozed', until) }} />}
                  {place === 'done' || place === 'snoozed'
                    ? <button type="button" className="btn ghost icon sm text-muted" aria-label={t('inbox.back')} title={t('inbox.back')} onClick={() => void move(n, 'inbox')}><Undo2 size={15} /></button> : null}
                  {place !== 'done' && <button type="button" className="btn ghost icon sm text-muted" aria-label={t('inbox.done')} title={`${t('inbox.done')} (E)`} onClick={() => void move(n, 'done')}><Check size={16} /></button>}
                </span>
              </li>
            ))}
          </ul>
        )}
        {hasNextPage && <button type="button" className="btn m-3" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
      </div>
      <div className="flex-none border-t border-line px-6 h-9 flex items-center gap-4 text-faint text-xs max-md:hidden" aria-hidden="true">
        <span><kbd className="kbd">J</kbd> <kbd className="kbd">K</kbd> {t('inbox.hintMove')}</span><span><kbd className="kbd">↵</kbd> {t('inbox.hintOpen')}</span><span><kbd className="kbd">E</kbd> {t('inbox.done')}</span><span><kbd className="kbd">S</kbd> {t('inbox.snooze')}</span><span><kbd className="kbd">U</kbd> {t('inbox.hintRead')}</span>
        <button type="button" tabIndex={-1} className="ms-auto border-0 bg-transparent text-faint hover:text-fg" onClick={() => void navigate({ to: '/settings/profile' })}>{t('inbox.wishes')}</button>
      </div>
    </div>
  )
}

const HOUR = 'T09:00'
const day = (wall: string, days: number): string => { const d = new Date(wall.slice(0, 10) + 'T00:00:00Z'); d.setUTCDate(d.getUTCDate() + days); return d.toISOString().slice(0, 10) }

/** Mornings to come, by the clock of the person. */
export function mornings(zone: string, now = new Date().toISOString()): { today: string; tomorrow: string; week: string } {
  const wall = instantToLocal(now, zone)
  const weekday = new Date(wall.slice(0, 10) + 'T00:00:00Z').getUTCDay()
  return { today: wall.slice(0, 10), tomorrow: localToInstant(day(wall, 1) + HOUR, zone)!, week: localToInstant(day(wall, ((8 - weekday) % 7) || 7) + HOUR, zone)! }
}

function Snooze({ open, onOpenChange, onPick }: { open: boolean; onOpenChange: (o: boolean) => void; onPick: (until: string) => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [date, setDate] = useState('')
  const { today, tomorrow, week } = mornings(locale.zone)
  return (
    <Popover width={260} align="end" label={t('inbox.snooze')} open={open} onOpenChange={onOpenChange} trigger={<button type="button" className="btn ghost icon sm text-muted" aria-label={t('inbox.snooze')} title={`${t('inbox.snooze')} (S)`}><Clock size={15} /></button>}>
      <button type="button" className="item" onClick={() => onPick(tomorrow)}><span className="flex-1">{t('inbox.tomorrow')}</span><span className="text-faint text-xs">{formatInstant(tomorrow, locale)}</span></button>
      <button type="button" className="item" onClick={() => onPick(week)}><span className="flex-1">{t('inbox.nextWeek')}</span><span className="text-faint text-xs">{formatInstant(week, locale)}</span></button>
      <div className="rule" />
      <form className="flex items-end gap-2 p-2" onSubmit={(e) => { e.preventDefault(); const until = date && localToInstant(date + HOUR, locale.zone); if (until) onPick(until) }}>
        <Labelled label={t('inbox.onDay')} className="flex-1">{(p) => <input {...p} className="input" type="date" min={day(today, 1)} max={day(today, 365)} value={date} onChange={(e) => setDate(e.target.value)} />}</Labelled>
        <button type="submit" className="btn" disabled={!date}>{t('apply')}</button>
      </form>
    </Popover>
  )
}
