import { useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { Pin } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { get } from '@/api/http'
import { useMeta } from '@/meta/hooks'
import { EntityIcon } from '@/ui/icon'
import type { SavedView, TableSearch } from '@/views/state'

/** The views that somebody keeps at hand. One that he does not see any more is left out. */
export default function Pins({ ids, onNavigate }: { ids: string[]; onNavigate: () => void }) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const search = useSearch({ strict: false }) as TableSearch
  const { data } = useQuery({ queryKey: ['views', 'pinned', ids], queryFn: () => get<{ data: SavedView[] }>('/views', { ids: ids.join(',') }).then((r) => r.data), staleTime: 60_000, retry: false, placeholderData: (old) => old })
  if (!data?.length) return null
  return (
    <div className="mt-2.5" role="group" aria-label={t('views.pinned')}>
      <div className="flex items-center px-2 h-6 text-2xs font-semibold text-faint gap-1"><span className="truncate">{t('views.pinned')}</span><Pin size={11} aria-hidden="true" /></div>
      {data.map((v) => (
        <Link key={v.id} to="/o/$entity" params={{ entity: v.entity }} search={{ view: v.id }} onClick={onNavigate} aria-current={search.view === v.id ? 'page' : undefined} title={meta?.entities[v.entity]?.plural}
          className={clsx('item no-underline text-fg', search.view === v.id && 'bg-hover font-medium')}><EntityIcon name={meta?.entities[v.entity]?.icon ?? null} className="text-muted" /><span className="truncate">{v.name}</span></Link>
      ))}
    </div>
  )
}
