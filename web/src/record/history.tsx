import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { get } from '@/api/http'
import { pathOf } from '@/api/records'
import { typeOf } from '@/fields/registry'
import { formatAgo, formatInstant, useLocale, type Locale } from '@/lib/format'
import { fieldOf } from '@/meta/hooks'
import type { Entity } from '@/meta/types'
import { Avatar, Failure, Skeleton } from '@/ui/basics'

export interface HistoryEntry { id: string; at: string; actor: { id?: string | null; name?: string | null } | null; action: string; changes: Record<string, [unknown, unknown] | unknown> | null }

const HIDDEN = new Set(['version', 'updated_at', 'updated_by', 'created_at', 'id', 'organization_id', 'created_by'])

export function Changes({ entity, changes, locale }: { entity: Entity | undefined; changes: HistoryEntry['changes']; locale: Locale }) {
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
        return <li key={name} className="flex flex-wrap gap-x-1.5 items-center text-muted min-h-6"><span>{f?.label ?? name}:</span>{show(a)}<span aria-label={t('became')} role="img">→</span><span className="text-fg inline-flex min-w-0">{show(b)}</span></li>
      })}
      {all.length > 12 && <li className="text-faint">{t('more', { count: all.length - 12 })}</li>}
    </ul>
  )
}

export function History({ entity, id }: { entity: Entity; id: string }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data, error, isPending, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['record', entity.name, id, 'history'], initialPageParam: undefined as string | undefined, getNextPageParam: (p: { next: string | null }) => p.next ?? undefined,
    queryFn: ({ pageParam }) => get<{ data: HistoryEntry[]; next: string | null }>(`${pathOf(entity.name)}/${id}/_history`, { cursor: pageParam }),
  })
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (isPending) return <Skeleton rows={4} />
  const all = data.pages.flatMap((p) => p.data)
  return (
    <ol className="list-none m-0 p-4 space-y-4">
      {all.map((h) => {
        const who = h.actor?.name || t('system')
        return (
          <li key={h.id} className="flex gap-2.5">
            <Avatar name={who} size={24} />
            <div className="min-w-0 flex-1">
              <div><strong className="font-semibold">{who}</strong> <span className="text-muted">{t(`history.${h.action.toLowerCase()}`, h.action)}</span> <time className="text-faint text-xs" dateTime={h.at} title={formatInstant(h.at, locale)}>{formatAgo(h.at, locale)}</time></div>
              {h.action.toLowerCase() !== 'create' && h.action.toLowerCase() !== 'insert' && <Changes entity={entity} changes={h.changes} locale={locale} />}
            </div>
          </li>
        )
      })}
      {all.length === 0 && <li className="text-muted">{t('history.none')}</li>}
      {hasNextPage && <li><button type="button" className="btn sm" onClick={() => void fetchNextPage()}>{t('showMore')}</button></li>}
    </ol>
  )
}
