import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { CheckCheck, ChevronLeft } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get } from '@/api/http'
import { useManages } from '@/api/session'
import { formatAgo, useLocale } from '@/lib/format'
import { useKeys } from '@/lib/keys'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { Avatar, Empty, Failure, Skeleton } from '@/ui/basics'
import { decide, decideAll, PLACES, renew, type Approval, type Body, type Decision, type Place } from './data'
import { DecideDialog } from './decide'
import { Detail } from './detail'
import { Amount, Due, StatusChip, Subject } from './parts'

/** What waits for one's word: a queue worked through by keys alone, or by one thumb. */
export function Approvals() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const manages = useManages()
  const { of, id } = useSearch({ from: '/house/approvals' })
  const place: Place = of ?? 'mine'
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const [deciding, setDeciding] = useState<{ ids: string[]; first: Decision } | null>(null)
  const [held, setHeld] = useState<string | null>(null)
  const rows = useRef(new Map<string, HTMLAnchorElement>())
  const { data, error, isPending, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['approvals', 'list', place], initialPageParam: undefined as string | undefined, refetchInterval: 60_000,
    getNextPageParam: (p: { next: string | null }) => p.next ?? undefined,
    queryFn: ({ pageParam }) => get<{ data: Approval[]; next: string | null }>('/approvals', { of: place, cursor: pageParam }),
  })
  const all = data?.pages.flatMap((p) => p.data) ?? []
  useEffect(() => { document.title = `${t('approvals.title')} · Fondaco` }, [t])
  useEffect(() => { setPicked(new Set()); setHeld(null) }, [place])

  const open = (to: string | undefined) => void navigate({ to: '/approvals', search: { ...(of ? { of } : {}), ...(to ? { id: to } : {}) } })
  const at = Math.max(0, all.findIndex((a) => a.id === (id ?? held)))
  const now = all[at]
  const go = (to: number) => { const a = all[Math.max(0, Math.min(all.length - 1, to))]; if (!a) return; if (id) open(a.id); setHeld(a.id); rows.current.get(a.id)?.focus() }
  const begun = !!id || !!held
  const start = (first: Decision) => {
    const chosen = picked.size ? [...picked] : now?.may_decide ? [now.id] : []
    if (chosen.length) setDeciding({ ids: chosen, first })
  }
  const toggle = (a: Approval) => setPicked((p) => { const next = new Set(p); if (!next.delete(a.id)) next.add(a.id); return next })
  useKeys({
    j: () => go(begun ? at + 1 : 0), ArrowDown: () => go(begun ? at + 1 : 0), k: () => go(at - 1), ArrowUp: () => go(at - 1),
    a: () => start('approve'), r: () => start('reject'), x: () => { if (now?.may_decide) toggle(now) }, Escape: () => open(undefined),
  }, !deciding)

  const run = async (ids: string[], body: Body) => {
    // What took its place is next under the fingers.
    const next = all.find((a, i) => i > at && !ids.includes(a.id)) ?? all.find((a) => !ids.includes(a.id))
    if (ids.length === 1) await decide(ids[0]!, body)
    else {
      const { done: n, failed } = await decideAll(ids, body)
      if (failed.length) toast.error(`${t('approvals.someFailed', { count: failed.length })} ${failed[0]!.message}`, { duration: 12000 })
      if (!n) { await renew(); return }
    }
    setPicked(new Set())
    await renew()
    done(t(`approvals.done_${body.decision}`, { count: ids.length }))
    if (place === 'mine' && body.decision !== 'ask') { if (id) open(next?.id); setHeld(next?.id ?? null) }
  }

  return (
    <div className="flex-1 min-h-0 flex flex-col">
      <div className="flex items-center gap-2 px-6 pt-4 pb-2 max-md:px-4">
        {id && <button type="button" className="btn ghost icon md:hidden" aria-label={t('back')} onClick={() => open(undefined)}><ChevronLeft size={18} className="rtl:scale-x-[-1]" /></button>}
        <h1 className="text-lg font-semibold m-0 flex-1">{t('approvals.title')}</h1>
        <Link to="/settings/absence" className="btn ghost no-underline text-fg">{t('approvals.away')}</Link>
      </div>
      <nav className={clsx('tabs !px-6 max-md:!px-4 flex-none overflow-x-auto', id && 'max-md:hidden')} aria-label={t('approvals.places')}>
        {PLACES.filter((p) => p !== 'all' || manages).map((p) => <Link key={p} to="/approvals" search={p === 'mine' ? {} : { of: p }} className="place" aria-current={p === place ? 'page' : undefined}>{t(`approvals.place_${p}`)}{p === 'mine' && place === 'mine' && all.length > 0 && <span className="badge ms-1.5">{all.length}</span>}</Link>)}
      </nav>
      <div className="flex-1 min-h-0 flex">
        <div className={clsx('flex-1 min-w-0 overflow-auto px-4 py-2 max-md:px-2', id && 'max-md:hidden')}>
          {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : all.length === 0 ? <Empty icon={<CheckCheck size={26} />} title={t(`approvals.none_${place}`)} text={place === 'mine' ? t('approvals.noneText') : undefined} /> : (
            <ul className="list-none m-0 p-0 max-w-[900px]" aria-label={t(`approvals.place_${place}`)}>
              {all.map((a) => <Item key={a.id} a={a} on={a === now && begun} picked={picked.has(a.id)} onPick={() => toggle(a)} search={{ ...(of ? { of } : {}), id: a.id }} anchor={(e) => { if (e) rows.current.set(a.id, e); else rows.current.delete(a.id) }} onFocus={() => setHeld(a.id)} />)}
            </ul>
          )}
          {hasNextPage && <button type="button" className="btn m-3" onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
        </div>
        {id && <Detail key={id} id={id} onDecide={(first) => setDeciding({ ids: [id], first })} onClose={() => open(undefined)} />}
      </div>
      {picked.size > 0 && (
        <div className="flex-none border-t border-line bg-raised px-4 py-2 flex items-center gap-2 flex-wrap" role="region" aria-label={t('approvals.chosen', { count: picked.size })}>
          <span className="flex-1 text-muted">{t('approvals.chosen', { count: picked.size })}</span>
          <button type="button" className="btn ghost" onClick={() => setPicked(new Set())}>{t('clear')}</button>
          <button type="button" className="btn danger" onClick={() => start('reject')}>{t('approvals.do_reject')}</button>
          <button type="button" className="btn primary" onClick={() => start('approve')}>{t('approvals.do_approve')}</button>
        </div>
      )}
      {place === 'mine' && <div className="flex-none border-t border-line px-6 h-9 flex items-center gap-4 text-faint text-xs max-md:hidden" aria-hidden="true">
        <span><kbd className="kbd">J</kbd> <kbd className="kbd">K</kbd> {t('inbox.hintMove')}</span><span><kbd className="kbd">↵</kbd> {t('inbox.hintOpen')}</span><span><kbd className="kbd">A</kbd> {t('approvals.do_approve')}</span><span><kbd className="kbd">R</kbd> {t('approvals.do_reject')}</span><span><kbd className="kbd">X</kbd> {t('hint.select')}</span>
      </div>}
      {deciding && <DecideDialog title={deciding.ids.length > 1 ? t('approvals.chosen', { count: deciding.ids.length }) : all.find((a) => a.id === deciding.ids[0])?.title || t('approvals.title')} first={deciding.first} many={deciding.ids.length > 1} run={(body) => run(deciding.ids, body).catch((e) => { void renew(); throw e })} onClose={() => setDeciding(null)} />}
    </div>
  )
}

function Item({ a, on, picked, onPick, search, anchor, onFocus }: { a: Approval; on: boolean; picked: boolean; onPick: () => void; search: { of?: Place; id: string }; anchor: (e: HTMLAnchorElement | null) => void; onFocus: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  return (
    <li className={clsx('flex items-start border-b border-line', on && 'bg-hover rounded-md')}>
      {a.may_decide && <label className="flex-none grid place-items-center w-9 h-11 max-md:w-11"><input type="checkbox" checked={picked} aria-label={t('approvals.choose', { name: a.title })} onChange={onPick} /></label>}
      <Link ref={anchor} to="/approvals" search={search} className="item !items-start !gap-2.5 no-underline text-fg py-2.5 min-w-0 flex-1" onFocus={onFocus}>
        <Avatar name={a.requested_by?.name ?? ''} size={26} />
        <span className="flex-1 min-w-0">
          <span className="flex gap-3"><span className="font-semibold truncate flex-1">{a.title || t('approvals.untitled')}</span><Amount of={a} /></span>
          <span className="block text-muted truncate"><Subject of={a} /> · {a.requested_by?.name}{a.in_name_of && ` · ${t('approvals.inNameOf', { name: a.in_name_of.name })}`}</span>
          {a.reason && <span className="text-muted line-clamp-1">{a.reason}</span>}
          <span className="flex flex-wrap items-center gap-2 mt-1"><StatusChip status={a.status} />{a.status === 'pending' && <><Due of={a} />{a.levels > 1 && <span className="text-faint text-xs">{t('approvals.levelOf', { n: a.level, of: a.levels })}</span>}</>}<span className="text-faint text-xs">{formatAgo(a.created_at, locale)}</span></span>
        </span>
      </Link>
    </li>
  )
}
