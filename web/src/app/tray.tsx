import { useQuery } from '@tanstack/react-query'
import { Link, useRouterState } from '@tanstack/react-router'
import { CircleAlert, CircleCheck, CircleSlash, ListTodo, LoaderCircle, RotateCcw, Square, Undo2, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { get, messageOf, post } from '@/api/http'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { formatNumber, formatAgo, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done as undoable } from '@/lib/undo'
import { entityQuery, titleOf, useMeta } from '@/meta/hooks'
import { Popover, Progress } from '@/ui/basics'
import { changedBy, EVENT, goesOn, refused, renewWork, show, workQuery, type Shown, type Work } from './work'

const attempt = (f: Promise<unknown>): void => void f.catch((e) => toast.error(messageOf(e))).finally(() => void renewWork())

/** What a piece of work is called. */
function useName(w: Work): string {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const im = useQuery({ queryKey: ['import', w.import, 'brief'], enabled: !!w.import, staleTime: Infinity, retry: false, queryFn: () => get<{ entity: string; name?: string }>(`/imports/${w.import}`) }).data
  const entity = w.entity ?? im?.entity
  const known = entity ? meta?.entities[entity] : undefined
  const move = w.kind === 'records.bulk' && !!w.entity && !!w.action && !['update', 'delete', 'restore'].includes(w.action)
  const whole = useQuery({ ...entityQuery(w.entity ?? ''), enabled: move && !!known }).data
  const name = known?.plural ?? entity ?? ''
  if (w.kind === 'records.bulk_undo') return t('work.undo', { name })
  if (w.kind === 'records.import') return t('work.import', { name })
  if (w.kind === 'records.import_check') return t('work.import_check', { name })
  if (w.kind === 'records.import_undo') return t('work.import_undo', { name })
  if (w.action === 'delete') return t('work.delete', { name })
  if (w.action === 'restore') return t('work.restore', { name })
  if (move) return `${name}: ${whole?.states?.moves.find((m) => m.action === w.action)?.label ?? whole?.actions.find((a) => a.name === w.action)?.label ?? w.action}`
  return t('work.update', { name })
}

const canUndo = (w: Work, all: Work[]): boolean => w.kind === 'records.bulk' && !goesOn(w) && changedBy(w) > 0 && ['update', 'delete', 'restore'].includes(w.action ?? 'update') && !all.some((x) => x.undoes === w.id && x.status !== 'failed')
const cancel = (w: Work) => attempt(post(`/jobs/${w.id}/cancel`))
const retry = (w: Work) => attempt(post(`/jobs/${w.id}/retry`))
async function takeBack(w: { id: string; entity: string }, text: string): Promise<false> {
  const answer = await post<{ job: { id: string } }>(`/jobs/${w.id}/undo`)
  show({ id: answer.job.id, entity: w.entity, text }, { kind: 'records.bulk_undo', undoes: w.id })
  return false
}

/** How it stands, in words. */
function useSaid(): (w: Work) => string {
  const { t } = useTranslation()
  const locale = useLocale()
  const n = (x: number) => formatNumber(x, locale)
  return (w) => {
    const bad = refused(w)
    const good = changedBy(w)
    const rest = bad ? ` · ${t('work.refused', { count: bad, n: n(bad) })}` : ''
    if (w.status === 'queued') return t('work.queued')
    if (w.status === 'running') return w.total ? t('work.running', { done: n(w.done), total: n(w.total) }) : t('work.begun')
    if (w.status === 'failed') return w.error || t('work.failed')
    if (w.status === 'cancelled') return t('work.cancelled', { count: good, n: n(good) }) + rest
    return (w.kind === 'records.import_check' ? t('work.checked') : t('work.done', { count: good, n: n(good) })) + rest
  }
}

const KEY = 'work'
/** Running when last looked at, in this or another tab: each of them is told about once. */
const waiting = (): string[] => { try { return JSON.parse(localStorage.getItem(KEY) ?? '[]') } catch { return [] } }
const wait = (ids: string[]): void => { try { localStorage.setItem(KEY, JSON.stringify(ids.slice(-50))) } catch { /* private mode */ } }

export default function Tray() {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [shown, setShown] = useState<Shown | null>(null)
  const { data } = useQuery(workQuery)
  const all = data ?? []
  const running = all.filter(goesOn).length
  const ended = all.find((w) => !goesOn(w) && waiting().includes(w.id) && w.id !== shown?.id)
  useEffect(() => {
    const f = (e: Event) => setShown((e as CustomEvent<Shown>).detail)
    addEventListener(EVENT, f)
    return () => removeEventListener(EVENT, f)
  }, [])
  useEffect(() => {
    if (!data) return
    const known = waiting()
    const now = data.filter(goesOn).map((w) => w.id)
    if (now.some((id) => !known.includes(id))) wait([...new Set([...known, ...now])])
  }, [data])
  return (
    <>
      <Popover width={380} align="end" open={open} onOpenChange={setOpen} label={t('work.title')} trigger={
        <button type="button" className="btn ghost icon relative" aria-label={running ? t('work.titleRunning', { count: running }) : t('work.title')}>
          {running ? <LoaderCircle size={16} className="animate-spin motion-reduce:animate-none" /> : <ListTodo size={16} />}{running > 0 && <span className="badge absolute -top-0.5 -end-0.5" aria-hidden="true">{running}</span>}
        </button>}>
        <div className="menu-label" id="work-title">{t('work.title')}</div>
        {all.length === 0 && <div className="px-2 py-6 text-muted text-center"><div className="font-medium text-fg">{t('work.none')}</div><div className="mt-1 text-xs">{t('work.noneText')}</div></div>}
        <ul className="list-none m-0 p-0" aria-labelledby="work-title">{all.map((w) => <Item key={w.id} work={w} all={all} onOpen={() => setOpen(false)} />)}</ul>
      </Popover>
      {ended && <Ended key={ended.id} work={ended} all={all} />}
      {shown && <Card key={shown.id ?? shown.text} shown={shown} all={all} onClose={() => setShown(null)} />}
    </>
  )
}

function Sign({ work: w }: { work: Work }) {
  if (goesOn(w)) return <LoaderCircle size={15} className="animate-spin motion-reduce:animate-none text-accent-text" aria-hidden="true" />
  if (w.status === 'cancelled') return <CircleSlash size={15} className="text-muted" aria-hidden="true" />
  if (w.status === 'failed' || refused(w)) return <CircleAlert size={15} className={w.status === 'failed' ? 'text-bad' : 'text-warn'} aria-hidden="true" />
  return <CircleCheck size={15} className="text-good" aria-hidden="true" />
}

function Item({ work: w, all, onOpen }: { work: Work; all: Work[]; onOpen: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const name = useName(w)
  const said = useSaid()
  const entity = queryClient.getQueryData<{ entity: string }>(['import', w.import, 'brief'])?.entity
  return (
    <li className="px-2 py-2 border-t border-line first:border-t-0">
      <div className="flex items-start gap-2">
        <span className="mt-0.5 flex"><Sign work={w} /></span>
        <div className="flex-1 min-w-0">
          <div className="font-medium">{w.import && entity ? <Link className="link" to="/o/$entity/import" params={{ entity }} search={{ id: w.import }} onClick={onOpen}>{name}</Link> : name}</div>
          <div className="text-muted text-xs num">{said(w)}{w.created_at && !goesOn(w) && ` · ${formatAgo(w.finished_at ?? w.created_at, locale)}`}</div>
          {goesOn(w) && <div className="mt-1.5"><Progress done={w.done} total={w.total ?? 0} label={name} /></div>}
          {!goesOn(w) && w.kind.startsWith('records.bulk') && refused(w) > 0 && <button type="button" className="link border-0 bg-transparent p-0 mt-1 text-xs" onClick={() => { onOpen(); show({ id: w.id, entity: w.entity ?? '', text: name }, w) }}>{t('work.which')}</button>}
        </div>
        {goesOn(w) && <button type="button" className="btn ghost sm" aria-label={t('work.stopNamed', { name })} onClick={() => cancel(w)}><Square size={12} />{t('work.stop')}</button>}
        {canUndo(w, all) && <button type="button" className="btn ghost sm" aria-label={t('work.undoNamed', { name })} onClick={() => { onOpen(); attempt(takeBack({ id: w.id, entity: w.entity ?? '' }, t('work.undoing'))) }}><Undo2 size={13} />{t('undo')}</button>}
        {w.status === 'failed' && <button type="button" className="btn ghost sm" aria-label={t('work.retryNamed', { name })} onClick={() => retry(w)}><RotateCcw size={13} />{t('retry')}</button>}
      </div>
    </li>
  )
}

/** Said once, to who was elsewhere meanwhile. */
function Ended({ work: w, all }: { work: Work; all: Work[] }) {
  const { t } = useTranslation()
  const name = useName(w)
  const said = useSaid()
  const path = useRouterState({ select: (s) => s.location.pathname + s.location.searchStr })
  const told = useRef(false)
  useEffect(() => {
    if (told.current || !waiting().includes(w.id)) return
    told.current = true
    wait(waiting().filter((id) => id !== w.id))
    if (w.entity) records.refresh(w.entity)
    // Whoever looks at the import sees it there.
    if (w.import && path.includes(w.import)) return
    const text = `${name}: ${said(w)}`
    if (w.status === 'failed') toast.error(text, { duration: 12_000 })
    else if (canUndo(w, all)) undoable(text, () => takeBack({ id: w.id, entity: w.entity ?? '' }, t('work.undoing')))
    else toast.success(text)
  }, [w, name, path, said, all, t])
  return null
}

/** The work that was just begun, in sight: how far it is, and at the end what was refused and why. */
function Card({ shown, all, onClose }: { shown: Shown; all: Work[]; onClose: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const said = useSaid()
  const n = (x: number) => formatNumber(x, locale)
  const w = shown.id ? all.find((x) => x.id === shown.id) : undefined
  const over = shown.id ? !!w && !goesOn(w) : true
  const { data: whole } = useQuery({ queryKey: ['jobs', shown.id, w?.status], enabled: !!shown.id && over, staleTime: Infinity, queryFn: () => get<Work>(`/jobs/${shown.id}`) })
  const failed = shown.failed ?? (Array.isArray(whole?.result?.failed) ? whole.result.failed : [])
  const ready = !shown.id || !!whole
  const quiet = over && ready && failed.length === 0 && w?.status === 'done'
  const told = useRef(false)
  useEffect(() => {
    if (!over || told.current || (shown.id && !whole)) return
    told.current = true
    if (shown.id) wait(waiting().filter((id) => id !== shown.id))
    records.refresh(shown.entity)
    if (!quiet) return
    const text = `${shown.text}: ${said(w!)}`
    if (canUndo(w!, all)) undoable(text, () => takeBack({ id: shown.id!, entity: shown.entity }, t('work.undoing')))
    else toast.success(text)
    onClose()
  }, [over, quiet, whole, w, shown, all, said, onClose, t])
  const leave = () => onClose()
  const place = document.querySelector('main')
  if (!place || quiet) return null
  const good = shown.id ? (whole ? changedBy(whole) : w?.done ?? 0) : shown.done ?? 0
  return createPortal(
    <section aria-label={shown.text} className="pop absolute bottom-12 inset-x-0 mx-auto w-[440px] max-w-[calc(100%-16px)] no-print !p-3" style={{ zIndex: 35 }} onKeyDown={(e) => { if (e.key === 'Escape') { e.stopPropagation(); leave() } }}>
      <div className="flex items-center gap-2">
        <span className="flex-1 font-medium truncate">{shown.text}</span>
        {!over && w && <button type="button" className="btn sm" onClick={() => cancel(w)}><Square size={12} />{t('work.stop')}</button>}
        {over && w && canUndo(w, all) && <button type="button" className="btn sm" onClick={() => attempt(takeBack({ id: w.id, entity: shown.entity }, t('work.undoing')))}><Undo2 size={13} />{t('undo')}</button>}
        {over && w?.status === 'failed' && <button type="button" className="btn sm" onClick={() => retry(w)}><RotateCcw size={13} />{t('retry')}</button>}
        <button type="button" className="btn ghost icon sm" aria-label={over ? t('close') : t('work.leave')} title={over ? t('close') : t('work.leave')} onClick={leave}><X size={14} /></button>
      </div>
      <div className="text-muted num mt-1" role="status">{w ? said(whole ?? w) : over ? `${t('work.done', { count: good, n: n(good) })} · ${t('work.refused', { count: failed.length, n: n(failed.length) })}` : t('work.queued')}</div>
      {!over && <><div className="mt-2"><Progress done={w?.done ?? 0} total={w?.total ?? 0} label={shown.text} /></div><p className="m-0 mt-2 text-xs text-muted">{t('work.leaveText')}</p></>}
      {failed.length > 0 && <Refusals entity={shown.entity} failed={failed} />}
    </section>, place)
}

const MOST = 200
/** Which were refused, by their names, each with its reason. */
function Refusals({ entity: name, failed }: { entity: string; failed: records.Refusal[] }) {
  const { t } = useTranslation()
  const { data: entity } = useQuery(entityQuery(name))
  const ids = failed.slice(0, MOST).map((f) => f.id)
  const { data: rows } = useQuery({ queryKey: ['rows', name, 'refused', ids], enabled: !!entity, staleTime: 60_000, retry: false, queryFn: () => records.list(name, { filter: { operator: 'AND', rules: [{ field: 'id', operator: 'in', value: ids }] }, limit: MOST, count: 'none' }) })
  const of = new Map(rows?.data.map((r) => [r.id, r]))
  return (
    <ul className="list-none m-0 mt-2 p-0 border-t border-line overflow-auto max-h-[220px]" aria-label={t('work.refusals')} tabIndex={0}>
      {failed.slice(0, MOST).map((f) => {
        const row = of.get(f.id)
        return (
          <li key={f.id} className="py-1.5 border-b border-line last:border-b-0">
            <Link className="link font-medium" to="/o/$entity/r/$id" params={{ entity: name, id: f.id }} search={{}}>{(entity && row && titleOf(entity, row)) || f.id.slice(0, 8)}</Link>
            <div className="text-xs text-muted">{f.message}</div>
          </li>
        )
      })}
      {failed.length > MOST && <li className="py-1.5 text-xs text-muted">{t('work.more', { count: failed.length - MOST })}</li>}
    </ul>
  )
}
