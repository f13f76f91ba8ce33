import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { Mail, MessageSquare, Paperclip, RotateCcw } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { StoredFile } from '@/api/files'
import { get, messageOf } from '@/api/http'
import { usePeople } from '@/api/people'
import * as records from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatAgo, formatInstant, useLocale, type Locale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { editable, fieldOf } from '@/meta/hooks'
import type { Entity, Row } from '@/meta/types'
import { Avatar, Failure, Skeleton } from '@/ui/basics'
import { isStale, saveFields } from './save'
import { commentsQuery } from './talk'
import { differs, wire } from './was'

export interface HistoryEntry { id: string; at: string; actor: { id?: string | null; name?: string | null } | null; action: string; changes: Record<string, [unknown, unknown] | unknown> | null; approval?: { id: string; action: string; comment: string | null }; sent?: { to: string; paper: string; subject: string } | null }

const HIDDEN = new Set(['version', 'updated_at', 'updated_by', 'created_at', 'id', 'organization_id', 'created_by'])

export function Changes({ entity, changes, locale, back }: { entity: Entity | undefined; changes: HistoryEntry['changes']; locale: Locale; back?: (name: string, old: unknown) => ReactNode }) {
  const { t } = useTranslation()
  const all = Object.entries(changes ?? {}).filter(([k]) => !HIDDEN.has(k))
  return (
    <ul className="list-none m-0 mt-1 p-0 space-y-0.5">
      {all.slice(0, 12).map(([name, pair]) => {
        const f = entity && fieldOf(entity, name)
        const [a, b] = Array.isArray(pair) && pair.length === 2 ? pair : [null, pair]
        const show = (v: unknown) => {
          if (v === null || v === undefined || v === '') return <span className="text-faint">{t('nothing')}</span>
          if (!f) return <span className="truncate">{typeof v === 'object' ? JSON.stringify(v) : String(v)}</span>
          const { Cell } = typeOf(f)
          return <Cell field={f} value={v} record={{}} locale={locale} link />
        }
        return <li key={name} className="flex flex-wrap gap-x-1.5 items-center text-muted min-h-6"><span>{f?.label ?? name}:</span>{show(a)}<span aria-label={t('became')} role="img">→</span><span className="text-fg inline-flex min-w-0">{show(b)}</span>{back && Array.isArray(pair) && back(name, a)}</li>
      })}
      {all.length > 12 && <li className="text-faint">{t('more', { count: all.length - 12 })}</li>}
    </ul>
  )
}

type Kind = 'change' | 'comment' | 'file'
interface Event { key: string; kind: Kind; at: string; who: string; picture: string | undefined; what: string; body: ReactNode }

/** What happened to a record, whoever did it and however: changes, words and files, the newest first. */
export default function History({ entity, row, wide }: { entity: Entity; row: Row; wide: boolean }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const people = usePeople()
  const [kind, setKind] = useState<Kind | null>(null)
  const [busy, setBusy] = useState('')
  const id = row.id
  const { data, error, isPending, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['record', entity.name, id, 'history'], initialPageParam: undefined as string | undefined, getNextPageParam: (p: { next: string | null }) => p.next ?? undefined,
    queryFn: ({ pageParam }) => get<{ data: HistoryEntry[]; next: string | null }>(`${records.pathOf(entity.name)}/${id}/_history`, { cursor: pageParam }),
  })
  const { data: said } = useQuery({ ...commentsQuery(entity.name, id), retry: false })
  const { data: files } = useQuery({ queryKey: ['files', entity.name, id], retry: false, queryFn: () => get<{ data: StoredFile[] }>('/files', { entity: entity.name, record: id }).then((r) => r.data ?? []) })
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (isPending) return <Skeleton rows={4} />

  const restore = async (name: string, old: unknown) => {
    const f = fieldOf(entity, name)!
    setBusy(name)
    try {
      await saveFields(entity, row, { [name]: wire(f, old) }, t('history.restored', { name: f.label }))
      records.refresh(entity.name)
    } catch (e) {
      toast.error(isStale(e) ? t('history.stale') : messageOf(e), { duration: 9000 })
      if (isStale(e)) records.refresh(entity.name)
    } finally { setBusy('') }
  }
  const back = (name: string, old: unknown): ReactNode => {
    const f = fieldOf(entity, name)
    if (!f || !entity.can.update || !editable(f) || name === entity.states?.field || (f.required && (old ?? '') === '') || !differs(old, row[name])) return null
    return <button type="button" className="btn ghost sm !h-6 text-muted no-print" disabled={busy === name} aria-label={t('history.restoreNamed', { name: f.label, value: typeOf(f).format(old, f, locale) || t('nothing') })} title={t('history.restoreThis')} onClick={() => void restore(name, old)}><RotateCcw size={12} aria-hidden="true" />{t('history.restoreThis')}</button>
  }
  const whoIs = (person: string | null | undefined, name: string | null | undefined) => {
    const known = people.find((p) => p.id === person)
    return { who: known?.name || name || t('system'), picture: known?.picture }
  }
  const last = data.pages.at(-1)?.data.at(-1)?.at
  const events: Event[] = [
    ...data.pages.flatMap((p) => p.data).map((h): Event => {
      const action = h.action.toLowerCase()
      return { key: h.id, kind: 'change', at: h.at, ...whoIs(h.actor?.id, h.actor?.name), what: t(`history.${action}`, h.action), body: h.sent ? <div className="mt-1 flex gap-1.5 text-muted" style={{ overflowWrap: 'anywhere' }}><Mail size={14} className="flex-none mt-0.5" aria-hidden="true" /><span>{t('history.sentTo', { to: h.sent.to, paper: h.sent.paper })}</span></div> : h.approval ? h.approval.comment && <div className="mt-1 text-muted" style={{ overflowWrap: 'anywhere' }}>{h.approval.comment}</div> : action !== 'create' && action !== 'insert' && <Changes entity={entity} changes={h.changes} locale={locale} back={back} /> }
    }),
    ...(said?.data ?? []).filter((c) => !c.deleted).map((c): Event => ({ key: c.id, kind: 'comment', at: c.created_at, ...whoIs(c.created_by, c.author), what: t('history.commented'), body: <div className="mt-1 flex gap-1.5 text-muted"><MessageSquare size={14} className="flex-none mt-0.5" aria-hidden="true" /><span className="line-clamp-3" style={{ overflowWrap: 'anywhere' }}>{c.body}</span></div> })),
    ...(files ?? []).map((f): Event => ({ key: f.id, kind: 'file', at: f.created_at ?? '', ...whoIs(typeof f.created_by === 'string' ? f.created_by : null, null), what: t('history.attached'), body: <div className="mt-1 flex gap-1.5 text-muted"><Paperclip size={14} className="flex-none mt-0.5" aria-hidden="true" /><span className="truncate">{f.name}</span></div> })),
  ]
  // Of what reaches further back than the changes that were fetched, nothing is shown before them.
  const shown = events.filter((e) => (!kind || e.kind === kind) && (!hasNextPage || !last || Date.parse(e.at) >= Date.parse(last))).sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
  const has = (k: Kind) => events.some((e) => e.kind === k)
  return (
    <div className={clsx('p-4', wide && 'px-6')}>
      {(has('comment') || has('file')) && (
        <div className="flex gap-1 mb-4 flex-wrap no-print" role="group" aria-label={t('history.filter')}>
          {([null, 'change', 'comment', 'file'] as const).filter((k) => !k || has(k)).map((k) => <button key={k ?? ''} type="button" className={clsx('btn sm', kind === k ? 'on' : 'ghost')} aria-pressed={kind === k} onClick={() => setKind(k)}>{t(`history.kind_${k ?? 'all'}`)}</button>)}
        </div>
      )}
      <ol className="list-none m-0 p-0 space-y-4 max-w-[760px]">
        {shown.map((e) => (
          <li key={e.key} className="flex gap-2.5">
            <Avatar name={e.who} size={24} src={e.picture} />
            <div className="min-w-0 flex-1">
              <div><strong className="font-semibold">{e.who}</strong> <span className="text-muted">{e.what}</span> <time className="text-faint text-xs" dateTime={e.at} title={formatInstant(e.at, locale)}>{formatAgo(e.at, locale)}</time></div>
              {e.body}
            </div>
          </li>
        ))}
        {shown.length === 0 && <li className="text-muted">{t('history.none')}</li>}
        {hasNextPage && kind !== 'comment' && kind !== 'file' && <li><button type="button" className="btn sm" onClick={() => void fetchNextPage()}>{t('showMore')}</button></li>}
      </ol>
    </div>
  )
}
