import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { BellRing } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import * as records from '@/api/records'
import { formatAgo, formatInstant, useLocale } from '@/lib/format'
import { titleOf, useMeta } from '@/meta/hooks'
import { Avatar } from '@/ui/basics'
import { isOff, put, tabOf, type Notification } from './news'

/** What the records are called that somebody is told about: one question for each kind. Who may not read one any more reads its kind alone. */
export function useTitles(all: Notification[]): Record<string, string> {
  const { data: meta } = useMeta()
  const groups = new Map<string, Set<string>>()
  for (const n of all) if (n.entity && n.record_id && meta?.entities[n.entity]?.title_field) groups.set(n.entity, (groups.get(n.entity) ?? new Set()).add(n.record_id))
  const asked = [...groups].map(([entity, ids]) => ({ entity, ids: [...ids].sort() }))
  return useQueries({
    queries: asked.map(({ entity, ids }) => ({ queryKey: ['titles', entity, ids], staleTime: 60_000, retry: false, queryFn: () => records.list(entity, { filter: { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: ids }] }, fields: `id,${meta!.entities[entity]!.title_field}`, limit: 500 }).then((r) => r.data) })),
    combine: (answers) => Object.fromEntries(answers.flatMap((x, i) => (x.data ?? []).map((r) => [r.id, titleOf(meta!.entities[asked[i]!.entity]!, r)]))),
  })
}

const KNOWN = ['mention', 'reply', 'comment']

/** One notification: who, what, about which record, in whose words. Opening it is reading it. */
export function Told({ n, titles, onOpen, anchor, onFocus }: { n: Notification; titles: Record<string, string>; onOpen?: () => void; anchor?: (e: HTMLAnchorElement | null) => void; onFocus?: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const people = usePeople()
  const { data: meta } = useMeta()
  const who = people.find((p) => p.id === n.actor?.id)
  const name = who?.name ?? n.actor?.name ?? ''
  const about = [n.entity && meta?.entities[n.entity]?.label, n.record_id && titles[n.record_id]].filter(Boolean).join(' ')
  const inner = (
    <>
      <span className="relative flex-none mt-0.5">{name ? <Avatar name={name} size={26} src={who?.picture} /> : <span className="w-[26px] h-[26px] grid place-items-center text-muted"><BellRing size={15} aria-hidden="true" /></span>}</span>
      <span className="flex-1 min-w-0">
        <span className={clsx('block', !n.read_at && 'font-semibold')}>{KNOWN.includes(n.kind) && name ? t(`inbox.said_${n.kind}`, { name }) : n.title}{about && <span className="font-normal text-muted"> · {about}</span>}</span>
        {n.body && <span className="text-muted line-clamp-2" style={{ overflowWrap: 'anywhere' }}>{n.body}</span>}
        <span className="block text-faint text-xs">{isOff(n) ? t('inbox.until', { when: formatInstant(n.snoozed_until, locale) }) : formatAgo(n.created_at, locale)}</span>
      </span>
      {!n.read_at && <span className="w-2 h-2 rounded-full mt-2 flex-none bg-accent" role="img" aria-label={t('inbox.isUnread')} />}
    </>
  )
  const look = 'item !items-start !gap-2.5 no-underline text-fg py-2 min-w-0'
  const read = () => { onOpen?.(); if (!n.read_at) void put(n, 'read').catch(() => { /* it stays marked as new */ }) }
  if (n.entity === 'app.approval_requests' && n.record_id) return <Link ref={anchor} to="/approvals" search={{ id: n.record_id }} className={look} onFocus={onFocus} onClick={read}>{inner}</Link>
  if (n.entity === 'social.conversations' && n.record_id) return <Link ref={anchor} to="/messages/{-$id}" params={{ id: n.record_id }} search={{}} className={look} onFocus={onFocus} onClick={read}>{inner}</Link>
  if (!n.entity || !n.record_id) return <Link ref={anchor} to="/inbox" search={{}} className={look} onFocus={onFocus} onClick={read}>{inner}</Link>
  return <Link ref={anchor} to="/o/$entity/r/$id" params={{ entity: n.entity, id: n.record_id }} search={tabOf(n)} className={look} onFocus={onFocus} onClick={read}>{inner}</Link>
}
