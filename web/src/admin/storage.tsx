import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { del, get, messageOf } from '@/api/http'
import { formatAgo, formatBytes, formatInstant, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useMeta } from '@/meta/hooks'
import { Confirm, Empty, Failure, Progress, Skeleton } from '@/ui/basics'
import { Section } from './layout'
import { useTitles } from './titles'

interface Kept { id: string; name: string; type: string; size: number; entity: string | null; record_id: string | null; by: string | null; created_at: string }
interface Page { data: Kept[]; total: number; used: number; quota: number; quota_per_person: number | null }

const SORTS = ['name', 'size', 'created_at'] as const

export function Storage() {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const { sort = '-size' } = useSearch({ from: '/house/settings/files' })
  const { data: meta } = useMeta()
  const [dropping, setDropping] = useState<Kept | null>(null)
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    queryKey: ['company-files', sort], initialPageParam: 0, placeholderData: keepPreviousData,
    getNextPageParam: (last: Page, pages: Page[]) => { const n = pages.reduce((sum, p) => sum + p.data.length, 0); return n < last.total && last.data.length ? n : undefined },
    queryFn: ({ pageParam }) => get<Page>('/files', { whose: 'company', sort, offset: pageParam }),
  })
  const all = data?.pages.flatMap((p) => p.data) ?? []
  const room = data?.pages[0]
  const titles = useTitles(all.map((f) => ({ entity: f.entity ?? '', record: f.record_id })), meta)
  const order = (column: string): 'ascending' | 'descending' | 'none' => (sort === column ? 'ascending' : sort === `-${column}` ? 'descending' : 'none')
  const turn = (column: string) => void navigate({ to: '/settings/files', search: { sort: sort === `-${column}` ? column : sort === column ? `-${column}` : column === 'name' ? column : `-${column}` }, replace: true })
  const head = (column: (typeof SORTS)[number], label: string, end = false) => (
    <th scope="col" className={end ? 'end' : undefined} aria-sort={order(column)}><button type="button" className="border-0 bg-transparent p-0 min-h-6 font-semibold" style={{ color: 'inherit' }} onClick={() => turn(column)}>{label}<span aria-hidden="true">{{ ascending: ' ↑', descending: ' ↓', none: '' }[order(column)]}</span></button></th>
  )
  return (
    <Section wide title={t('settings.files')} text={t('storage.text')}>
      {room && (
        <div className="mb-5 max-w-[420px]">
          <div className="flex justify-between mb-1"><span>{t('storage.used', { used: formatBytes(room.used, locale), quota: formatBytes(room.quota, locale) })}</span><span className="text-muted">{t('storage.files', { n: room.total })}</span></div>
          <Progress done={room.used} total={room.quota} label={t('storage.room')} />
          {room.quota_per_person !== null && <div className="field-help">{t('storage.each', { quota: formatBytes(room.quota_per_person, locale) })}</div>}
        </div>
      )}
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : all.length === 0 ? <Empty title={t('files.none')} /> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('settings.files')}>
          <table className="data">
            <thead><tr>{head('name', t('name'))}<th scope="col">{t('storage.type')}</th>{head('size', t('storage.size'), true)}<th scope="col">{t('audit.record')}</th><th scope="col">{t('audit.who')}</th>{head('created_at', t('audit.when'))}<th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
            <tbody>{all.map((f) => (
              <tr key={f.id}>
                <td className="font-medium max-w-[320px]"><span className="block truncate" title={f.name}>{f.name}</span></td>
                <td className="text-muted max-w-[200px]"><span className="block truncate" title={f.type}>{f.type}</span></td>
                <td className="end num whitespace-nowrap">{formatBytes(f.size, locale)}</td>
                <td>{f.entity && f.record_id && meta?.entities[f.entity] ? <Link className="ref" to="/o/$entity/r/$id" params={{ entity: f.entity, id: f.record_id }} search={{}}>{titles[f.record_id] ?? meta.entities[f.entity]!.label}</Link> : <span className="text-muted">{t('storage.nowhere')}</span>}</td>
                <td>{f.by ?? t('system')}</td>
                <td className="text-muted whitespace-nowrap" title={formatInstant(f.created_at, locale)}>{formatAgo(f.created_at, locale)}</td>
                <td className="end"><button type="button" className="btn ghost icon sm" aria-label={t('removeNamed', { name: f.name })} onClick={() => setDropping(f)}><Trash2 size={14} /></button></td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      {hasNextPage && <button type="button" className="btn mt-3" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
      {dropping && <Confirm title={t('storage.dropTitle', { name: dropping.name })} text={t('storage.dropText')} action={t('delete')} danger onClose={() => setDropping(null)} onConfirm={() => void del(`/files/${dropping.id}`).then(() => { done(t('storage.dropped')); return refetch() }).catch((e) => toast.error(messageOf(e)))} />}
    </Section>
  )
}
