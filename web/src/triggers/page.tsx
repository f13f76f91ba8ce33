import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Ellipsis, Plus, Workflow } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { del, get, messageOf, put } from '@/api/http'
import { queryClient, useManages } from '@/api/session'
import { Section } from '@/admin/layout'
import { formatAgo, formatInstant, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useEntity, useMeta } from '@/meta/hooks'
import { Confirm, Empty, Failure, Labelled, Menu, Skeleton } from '@/ui/basics'
import { wire, type Run, type Trigger } from './data'
import { End } from './parts'
import './triggers.css'

const Editor = lazy(() => import('./editor'))
const RunDialog = lazy(() => import('./run'))
const Trial = lazy(() => import('./trial'))

const refresh = () => Promise.all(['triggers', 'trigger-runs'].map((k) => queryClient.invalidateQueries({ queryKey: [k] })))

export function Automations() {
  const { t } = useTranslation()
  const manages = useManages()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['triggers'], enabled: manages, refetchInterval: 10_000, queryFn: () => get<{ data: Trigger[] }>('/triggers').then((r) => r.data) })
  const [editing, setEditing] = useState<Trigger | 'new' | null>(null)
  const [trying, setTrying] = useState<Trigger | null>(null)
  const [dropping, setDropping] = useState<Trigger | null>(null)
  const add = manages && <button type="button" className="btn primary" onClick={() => setEditing('new')}><Plus size={15} />{t('triggers.new')}</button>
  const turn = async (x: Trigger) => {
    const set = async (is_active: boolean) => { await put(`/triggers/${x.id}`, { ...wire(x), is_active }); await refetch() }
    try { await set(!x.is_active); done(t('changed', { field: x.name }), () => set(x.is_active)) } catch (e) { toast.error(messageOf(e)) }
  }
  return (
    <Section wide title={t('settings.automations')} text={t('triggers.text')} actions={add}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : data.length === 0 ? <Empty icon={<Workflow size={26} />} title={t('triggers.none')} text={t('triggers.noneText')} /> : (
        <ul className="list-none m-0 p-0 max-w-[960px]" aria-label={t('settings.automations')}>
          {data.map((x) => <Item key={x.id} trigger={x} onTurn={() => void turn(x)} onOpen={() => setEditing(x)} onTry={() => setTrying(x)} onDrop={() => setDropping(x)} />)}
        </ul>
      )}
      {data && <Log triggers={data} />}
      <Suspense fallback={null}>
        {editing && <Editor trigger={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onDone={() => void refresh()} />}
        {trying && <Trial trigger={trying} onClose={() => setTrying(null)} />}
      </Suspense>
      {dropping && <Confirm title={t('triggers.dropTitle', { name: dropping.name })} text={t('triggers.dropText')} action={t('delete')} danger onClose={() => setDropping(null)} onConfirm={() => void del(`/triggers/${dropping.id}`).then(() => { done(t('deleted', { name: dropping.name })); return refresh() }).catch((e) => toast.error(messageOf(e)))} />}
    </Section>
  )
}

function Item({ trigger: x, onTurn, onOpen, onTry, onDrop }: { trigger: Trigger; onTurn: () => void; onOpen: () => void; onTry: () => void; onDrop: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data: entity } = useEntity(x.entity)
  const move = entity?.states?.moves.find((m) => m.action === x.action)?.label ?? x.action ?? ''
  const fields = x.fields.map((n) => entity?.fields.find((f) => f.name === n)?.label ?? entity?.lines.find((l) => l.entity === n)?.label ?? n).join(', ')
  return (
    <li className="flex items-start gap-3 border-b border-line py-2.5">
      <label className="flex items-center min-h-6 min-w-6 pt-0.5" title={t(x.is_active ? 'triggers.on' : 'triggers.off')}><input type="checkbox" role="switch" className="switch" aria-checked={x.is_active} aria-label={t('triggers.switch', { name: x.name })} checked={x.is_active} onChange={onTurn} /></label>
      <button type="button" className="flex-1 min-w-0 text-start border-0 bg-transparent p-0" onClick={onOpen}>
        <span className={`block font-semibold ${x.is_active ? '' : 'text-muted'}`}>{x.name}</span>
        <span className="block text-muted mt-0.5">{[`${entity?.label ?? x.entity}: ${t(`triggers.event_${x.event}`)}${fields ? ` (${fields})` : ''}${move ? ` (${move})` : ''}`, x.condition?.rules.length ? t('filter.group', { count: x.condition.rules.length }) : '', x.actions.map((a) => t(`triggers.do_${a.type}`, a.type)).join(', ')].filter(Boolean).join(' → ')}</span>
        <span className="flex flex-wrap items-center gap-2 mt-1 text-muted text-xs">{x.last_run ? <><End of={x.last_run} /><span title={formatInstant(x.last_run.executed_at, locale)}>{formatAgo(x.last_run.executed_at, locale)}</span></> : t('triggers.never')}<span>· {t('triggers.runAs', { name: x.run_as_name ?? '…' })}</span></span>
      </button>
      <Menu align="end" trigger={<button type="button" className="btn ghost icon sm" aria-label={t('members.menu', { name: x.name })}><Ellipsis size={16} /></button>} items={[
        { label: t('edit'), onSelect: onOpen }, { label: t('triggers.try'), onSelect: onTry }, 'rule', { label: t('delete'), danger: true, onSelect: onDrop },
      ]} />
    </li>
  )
}

const ENDS = { SUCCESS: { status: 'SUCCESS', outcome: 'matched' }, PARTIAL_SUCCESS: { status: 'PARTIAL_SUCCESS' }, FAILED: { status: 'FAILED' }, skipped: { outcome: 'skipped' } } as const

function Log({ triggers }: { triggers: Trigger[] }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const search = useSearch({ from: '/house/settings/automations' })
  const { data: meta } = useMeta()
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    queryKey: ['trigger-runs', search.trigger ?? '', search.end ?? ''], initialPageParam: undefined as string | undefined, refetchInterval: 10_000, getNextPageParam: (p: { next?: string | null }) => p.next ?? undefined,
    queryFn: ({ pageParam }) => get<{ data: Run[]; next?: string | null }>('/trigger-executions', { trigger: search.trigger, ...ENDS[search.end as keyof typeof ENDS], cursor: pageParam }),
  })
  const set = (part: Record<string, string>) => { const next: Record<string, string> = { ...search, ...part }; for (const k of Object.keys(next)) if (!next[k]) delete next[k]; void navigate({ to: '/settings/automations', search: next, replace: true }) }
  const all = data?.pages.flatMap((p) => p.data) ?? []
  if (triggers.length === 0 && all.length === 0) return null
  return (
    <section className="mt-8">
      <h2 className="text-base font-semibold m-0 mb-3">{t('triggers.log')}</h2>
      <div className="flex gap-3 mb-4 flex-wrap">
        <Labelled label={t('triggers.trigger')} className="w-[240px]">{(p) => <select {...p} className="input" value={search.trigger ?? ''} onChange={(e) => set({ trigger: e.target.value })}><option value="">{t('triggers.any')}</option>{triggers.map((x) => <option key={x.id} value={x.id}>{x.name}</option>)}</select>}</Labelled>
        <Labelled label={t('triggers.end')} className="w-[200px]">{(p) => <select {...p} className="input" value={search.end ?? ''} onChange={(e) => set({ end: e.target.value })}><option value="">{t('triggers.anyEnd')}</option>{Object.keys(ENDS).map((s) => <option key={s} value={s}>{t(`triggers.end_${s}`)}</option>)}</select>}</Labelled>
      </div>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton rows={3} /> : all.length === 0 ? <Empty title={t('triggers.noRuns')} text={t('triggers.noRunsText')} /> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t('triggers.log')}>
          <table className="data">
            <thead><tr><th scope="col">{t('audit.when')}</th><th scope="col">{t('triggers.trigger')}</th><th scope="col">{t('audit.record')}</th><th scope="col">{t('triggers.end')}</th><th scope="col" className="end">{t('triggers.ms')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
            <tbody>{all.map((r) => (
              <tr key={r.id} className="align-top">
                <td className="num whitespace-nowrap text-muted">{formatInstant(r.executed_at, locale)}</td>
                <td>{r.trigger}<span className="block text-muted text-xs">{t(`triggers.event_${r.kind}`, r.kind)}</span></td>
                <td><Link className="ref" to="/o/$entity/r/$id" params={{ entity: r.entity, id: r.record_id }} search={{}}>{r.title || meta?.entities[r.entity]?.label || r.entity}</Link></td>
                <td><End of={r} />{r.message && <span className="block text-bad text-xs max-w-[50ch]" style={{ overflowWrap: 'anywhere' }}>{r.message}</span>}</td>
                <td className="end num text-muted">{r.execution_ms}</td>
                <td className="end"><button type="button" className="btn ghost sm" aria-label={t('triggers.openRun', { name: r.title || r.trigger })} onClick={() => set({ run: r.id })}>{t('open')}</button></td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
      {hasNextPage && <button type="button" className="btn mt-3" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('showMore')}</button>}
      <Suspense fallback={null}>{search.run && <RunDialog id={search.run} onClose={() => set({ run: '' })} />}</Suspense>
    </section>
  )
}
