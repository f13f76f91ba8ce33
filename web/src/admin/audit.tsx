import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Download } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, url } from '@/api/http'
import { usePeople } from '@/api/people'
import { formatInstant, useLocale } from '@/lib/format'
import { entityQuery, useMeta } from '@/meta/hooks'
import type { Meta } from '@/meta/types'
import { Changes, type HistoryEntry } from '@/record/history'
import { Avatar, Empty, Failure, Labelled, Skeleton } from '@/ui/basics'
import { Section } from './layout'
import { useTitles } from './titles'

interface Entry extends HistoryEntry { entity: string; record: string | null }

/** `social.saved_views` is no table people may open; it still has a name. */
const readable = (entity: string): string => { const w = (entity.split('.')[1] ?? entity).replaceAll('_', ' '); return w.charAt(0).toUpperCase() + w.slice(1) }

/** What is gone still says what it was called. */
function nameIn(a: Entry, e: Meta['entities'][string] | undefined): string | undefined {
  const said = e?.title_field ? a.changes?.[e.title_field] : undefined
  const name = Array.isArray(said) ? said[1] ?? said[0] : undefined
  return typeof name === 'string' ? name : undefined
}

export function Audit() {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const search = useSearch({ from: '/house/settings/audit' })
  const people = usePeople()
  const { data: meta } = useMeta()
  const [open, setOpen] = useState<string | null>(null)
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    queryKey: ['audit', search], initialPageParam: undefined as string | undefined, getNextPageParam: (p: { next?: string | null }) => p.next ?? undefined,
    queryFn: ({ pageParam }) => get<{ data: Entry[]; next?: string | null }>('/audit', { ...search, cursor: pageParam, limit: 100 }),
  })
  const set = (part: Record<string, string | undefined>) => { const next = { ...search, ...part }; for (const k of Object.keys(next) as (keyof typeof next)[]) if (!next[k]) delete next[k]; void navigate({ to: '/settings/audit', search: next, replace: true }) }
  const entities = Object.values(meta?.entities ?? {}).sort((a, b) => a.plural.localeCompare(b.plural))
  const all = data?.pages.flatMap((p) => p.data) ?? []
  const titles = useTitles(all, meta)
  return (
    <Section wide title={t('settings.audit')} text={t('audit.text')} actions={<a className="btn" href={url('/audit/export', search)} download="audit.csv"><Download size={14} />{t('audit.export')}</a>}>
      <Proof />
      <div className="flex gap-3 mb-4 flex-wrap">
        <Labelled label={t('roles.entity')} className="w-[220px]">{(p) => <select {...p} className="input" value={search.entity ?? ''} onChange={(e) => set({ entity: e.target.value })}><option value="">{t('audit.any')}</option>{entities.map((e) => <option key={e.name} value={e.name}>{e.plural}</option>)}</select>}</Labelled>
        <Labelled label={t('audit.who')} className="w-[220px]">{(p) => <select {...p} className="input" value={search.actor ?? ''} onChange={(e) => set({ actor: e.target.value })}><option value="">{t('audit.anyone')}</option>{people.map((x) => <option key={x.id} value={x.id}>{x.name}</option>)}</select>}</Labelled>
        {(['from', 'to'] as const).map((day) => <Labelled key={day} label={t(`audit.${day}`)} className="w-[160px]">{(p) => <input {...p} className="input" type="date" value={search[day] ?? ''} onChange={(e) => set({ [day]: e.target.value })} />}</Labelled>)}
        <Labelled label={t('audit.record')} className="w-[280px]">{(p) => <input {...p} className="input" defaultValue={search.record ?? ''} placeholder="UUID" onKeyDown={(e) => e.key === 'Enter' && set({ record: e.currentTarget.value.trim() })} onBlur={(e) => set({ record: e.target.value.trim() })} />}</Labelled>
      </div>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : all.length === 0 ? <Empty title={t('audit.none')} /> : (
        <table className="data">
          <thead><tr><th scope="col">{t('audit.when')}</th><th scope="col">{t('audit.who')}</th><th scope="col">{t('audit.what')}</th><th scope="col">{t('audit.record')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
          <tbody>{all.map((a) => {
            const { record } = a
            const e = meta?.entities[a.entity]
            const link = record ? titles[record] : undefined
            const title = link ?? nameIn(a, e)
            const count = Object.keys(a.changes ?? {}).length
            return (
              <tr key={a.id} className="align-top">
                <td className="num whitespace-nowrap text-muted">{formatInstant(a.at, locale)}</td>
                <td><span className="flex items-center gap-1.5"><Avatar name={a.actor?.name || t('system')} />{a.actor?.name || t('system')}</span></td>
                <td>{t(`audit.action_${a.action.toLowerCase()}`, a.action)} <span className="text-muted">{e?.label ?? readable(a.entity)}</span>{open === a.id && <Diff entry={a} known={!!e} />}</td>
                <td>{record && link ? <Link className="ref" to="/o/$entity/r/$id" params={{ entity: a.entity, id: record }} search={{}}>{title}</Link> : title ? <span className="text-muted">{title}</span> : <code className="text-faint text-xs" title={record ?? undefined}>…{record?.slice(-6)}</code>}</td>
                <td className="end">{count > 0 && <button type="button" className="btn ghost sm" aria-expanded={open === a.id} onClick={() => setOpen(open === a.id ? null : a.id)}>{t('audit.changes', { count })}</button>}</td>
              </tr>
            )
          })}</tbody>
        </table>
      )}
      {hasNextPage && <button type="button" className="btn mt-3" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
    </Section>
  )
}

interface Proven { proved_at: string | null; wrong: string[]; sealed_to: string | null; blocks: number }

/** What the nightly check found, and through when nobody can change the history without being found. */
function Proof() {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data } = useQuery({ queryKey: ['audit', 'proof'], queryFn: () => get<Proven>('/audit/proof') })
  if (!data) return null
  return (
    <div className={`note mb-4 ${data.wrong.length > 0 ? 'bad' : ''}`} role={data.wrong.length > 0 ? 'alert' : undefined}>
      <p>{data.proved_at ? t(data.wrong.length > 0 ? 'audit.wrong' : 'audit.proven', { at: formatInstant(data.proved_at, locale), count: data.wrong.length }) : t('audit.unproven')}{' '}
        {data.sealed_to && t('audit.sealed', { at: formatInstant(data.sealed_to, locale) })}</p>
      {data.wrong.length > 0 && <ul className="list-disc ps-5 mt-1">{data.wrong.slice(0, 20).map((w) => <li key={w}>{w}</li>)}</ul>}
    </div>
  )
}

function Diff({ entry, known }: { entry: Entry; known: boolean }) {
  const locale = useLocale()
  const { data } = useQuery({ ...entityQuery(entry.entity), enabled: known })
  return <Changes entity={data} changes={entry.changes} locale={locale} />
}
