import { useQueries, useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { Tabs } from 'radix-ui'
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, Problem } from '@/api/http'
import * as records from '@/api/records'
import { currencyOf, isEmpty, typeOf } from '@/fields/registry'
import { useLocale } from '@/lib/format'
import { MOD } from '@/lib/keys'
import { useNarrow } from '@/lib/narrow'
import { visited } from '@/lib/recent'
import { queryClient, useSession } from '@/api/session'
import { withWords } from '@/i18n'
import { editable, entityQuery, fieldOf, metaQuery, recordExpand, titleOf, visibleFields } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { Chip, Failure, Skeleton } from '@/ui/basics'
import { ActionBar } from './actions'
import { useFitting } from './conditional'
import { formRows, lineChanges, lineDetails, lineFields, placeErrors, without, type LineRow } from './draft'
import { Files } from './files'
import { focusBad, OtherErrors } from './form'
import { isKept, useKept } from './kept'
import { LinesCompact, LinesEditor } from './lines'
import { Related } from './related'
import { Present, ringOf, usePresence } from './presence'
import { isStale, saveFields } from './save'
import { commentsQuery, unseen } from './talk'

const ConflictDialog = lazy(() => withWords(() => import('./conflict')))
const Comments = lazy(() => withWords(() => import('./comments')))
const Approvals = lazy(() => withWords(() => import('./approvals')))
const History = lazy(() => withWords(() => import('./history')))
const Followers = lazy(() => withWords(() => import('./followers')))

async function readWhole(entity: Entity, id: string): Promise<Row> {
  await queryClient.ensureQueryData(metaQuery)
  const parts = await Promise.all(entity.lines.map((l) => queryClient.ensureQueryData(entityQuery(l.entity)).catch(() => undefined)))
  return records.read(entity.name, id, recordExpand(entity, parts))
}
export const recordQuery = (entity: Entity, id: string) => ({ queryKey: ['record', entity.name, id], queryFn: () => readWhole(entity, id), staleTime: 10_000 })

const asLines = (v: unknown): LineRow[] => (Array.isArray(v) ? (v as Row[]).map((r) => ({ ...r, _key: r.id })) : [])

export function RecordView({ entity, id, wide, tab, onTab }: { entity: Entity; id: string; wide: boolean; tab: string | undefined; onTab: (t: string) => void }) {
  const { t } = useTranslation()
  const { data: row, error, isPending, refetch } = useQuery(recordQuery(entity, id))
  useEffect(() => { if (row) visited({ entity: entity.name, id, title: titleOf(entity, row) }) }, [row, entity, id])
  if (error && !row) return <Failure error={error} retry={() => void refetch()} />
  if (isPending || !row) return <Skeleton rows={9} />
  const current = tab && ['comments', 'activity', 'files', 'related'].includes(tab) ? tab : 'overview'
  return (
    <Tabs.Root value={current} onValueChange={onTab} className="flex flex-col min-h-0 flex-1">
      <Overview key={id} entity={entity} row={row} wide={wide} tabs={
        <Tabs.List className={clsx("tabs flex-none", wide && "!px-6")} aria-label={t('record.tabs')}>
          {(['overview', 'related', 'comments', 'activity', 'files'] as const).map((x) => <Tabs.Trigger key={x} value={x}>{t(`record.${x}`)}{x === 'comments' && <HowMany entity={entity.name} id={id} />}</Tabs.Trigger>)}
        </Tabs.List>} current={current} />
    </Tabs.Root>
  )
}

/** How much was said, and how much of it is new. */
function HowMany({ entity, id }: { entity: string; id: string }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const { data } = useQuery({ ...commentsQuery(entity, id), retry: false })
  const count = data?.data.filter((c) => !c.deleted).length ?? 0
  const news = data ? unseen(data, me?.user.id).length : 0
  if (news) return <span className="badge ms-1.5" aria-label={t('record.newComments', { count: news })} role="img">{news}</span>
  return count ? <span className="ms-1.5 text-faint num">{count}</span> : null
}

function Overview({ entity, row, wide, tabs, current }: { entity: Entity; row: Row; wide: boolean; tabs: React.ReactNode; current: string }) {
  const { t } = useTranslation()
  const [draft, setDraft] = useState<Record<string, unknown>>({})
  const [lines, setLines] = useState<Record<string, LineRow[]>>({})
  const [openFields, setOpenFields] = useState<string[]>([])
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [message, setMessage] = useState('')
  const [busy, setBusy] = useState(false)
  const [all, setAll] = useState(false)
  const fit = useFitting(entity)
  const [conflict, setConflict] = useState<Record<string, unknown> | null>(null)
  const metas = useQueries({ queries: entity.lines.map((l) => entityQuery(l.entity)) })
  const box = useRef<HTMLDivElement>(null)

  const changes = useMemo(() => {
    const out: Record<string, unknown> = {}
    for (const [k, v] of Object.entries(draft)) if (JSON.stringify(v ?? null) !== JSON.stringify(row[k] ?? null)) out[k] = v
    const keysOf: Record<string, string[]> = {}
    entity.lines.forEach((l, i) => {
      const m = metas[i]?.data
      const edited = lines[l.name]
      if (!m || !edited) return
      const c = lineChanges(asLines(row[l.name]), edited, [...lineFields(m, l.fk), ...lineDetails(m, l.fk)])
      if (c.rows.length) { out[l.name] = c.rows; keysOf[l.name] = c.keys }
    })
    return { out, keysOf, count: Object.keys(out).length }
  }, [draft, lines, row, metas, entity])
  const dirty = changes.count > 0
  const narrow = useNarrow()
  const editing = openFields.at(-1) ?? Object.keys(changes.out).find((k) => fieldOf(entity, k))
  const here = usePresence(entity.name, row.id, editing)
  const locked = !entity.can.update || linesLocked(entity, row)

  const reset = () => { setDraft({}); setLines({}); setOpenFields([]); setErrors({}); setMessage('') }
  const save = async () => {
    if (!dirty || busy) return
    setBusy(true); setErrors({}); setMessage('')
    try {
      await saveFields(entity, row, changes.out)
      records.putRow(entity.name, await readWhole(entity, row.id))
      records.refresh(entity.name)
      reset()
    } catch (e) {
      if (isStale(e)) setConflict(changes.out)
      else {
        if (e instanceof Problem) {
          const placed = placeErrors(e.errors, changes.keysOf)
          setErrors(placed)
          setOpenFields((o) => [...new Set([...o, ...Object.keys(placed).filter((k) => fieldOf(entity, k))])])
        }
        setMessage(messageOf(e))
        focusBad()
      }
    } finally { setBusy(false) }
  }
  useEffect(() => {
    if (!dirty) return
    const warn = (e: BeforeUnloadEvent) => { if (!isKept(row.id)) e.preventDefault() }
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [dirty, row.id])

  useKept(row.id, dirty, () => ({ draft, lines, openFields }), (was) => { setDraft(was.draft); setLines(was.lines); setOpenFields(was.openFields) })

  const Heading = wide ? 'h1' : 'h2'
  const Sub = wide ? 'h2' : 'h3'
  const state = entity.states && fieldOf(entity, entity.states.field)
  const rows = fit(formRows(entity, true), { ...row, ...draft })
  const placed = new Set(rows.flat().map((f) => f.name))
  const totals = entity.lines.length ? visibleFields(entity).filter((f) => f.type === 'money' && !editable(f) && !placed.has(f.name)) : []
  const details = visibleFields(entity).filter((f) => !placed.has(f.name) && !f.visible_when && !totals.includes(f) && f !== state && f.name !== entity.title_field && (row[f.name] ?? null) !== null && row[f.name] !== '')
  // The first rows always show; of the rest, what says something.
  const lead = new Set(rows.slice(0, 3).flat().map((f) => f.name))
  const quiet = (f: Field) => hidden > 3 && blank(f)
  const blank = (f: Field) => !lead.has(f.name) && !openFields.includes(f.name) && isEmpty(f.name in draft ? draft[f.name] : row[f.name]) && !errors[f.name]
  const hidden = rows.flat().filter(blank).length
  const shown = rows.flat().filter((f) => all || !quiet(f))
  // A document is read by its lines: they follow its first rows, the rest of the form follows them.
  const late = new Set(entity.document && entity.lines.length ? shown.filter((f) => !lead.has(f.name)) : [])
  const columns = clsx(wide && 'grid gap-x-10 lg:grid-cols-2 max-w-[1100px]')
  const more = hidden > 3 && <button type="button" className="btn ghost sm mt-1 !px-0 text-muted" aria-expanded={all} onClick={() => setAll(!all)}>{all ? t('record.lessFields') : `${t('record.moreFields')} · ${hidden}`}</button>
  const known = (k: string) => placed.has(k) || details.some((f) => f.name === k) || /^[^.]+\.[^.]+\.[^.]+$/.test(k)
  const option = state ? (entity.states!.options.find((o) => o.id === row[state.name]) ?? state.options?.find((o) => o.id === row[state.name])) : undefined
  const field = (f: Field, inForm: boolean) => (
    <FieldRow key={f.name} field={f} row={row} canEdit={inForm && entity.can.update && editable(f) && f.name !== entity.states?.field} open={openFields.includes(f.name)} value={f.name in draft ? draft[f.name] : row[f.name]} error={errors[f.name]} wide={wide} by={here.find((h) => h.field === f.name)?.name}
      onOpen={() => setOpenFields((o) => [...o, f.name])}
      onChange={(v) => { setDraft((d) => ({ ...d, [f.name]: v })); setErrors((old) => without(old, f.name)) }}
      onLeave={() => { if (!(f.name in changes.out) && !errors[f.name]) setOpenFields((o) => o.filter((n) => n !== f.name)) }}
      onCancel={() => { setDraft((old) => without(old, f.name)); setErrors((old) => without(old, f.name)); setOpenFields((o) => o.filter((n) => n !== f.name)) }}
      onSave={() => void save()} />
  )
  return (
    <>
      <div className={clsx('px-4 pt-4 pb-1 flex-none', wide && 'px-6')}>
        <div className="flex items-start gap-2 flex-wrap">
          <Heading className="text-xl font-semibold m-0 leading-snug min-w-0" style={{ overflowWrap: 'anywhere' }}>{titleOf(entity, row)}</Heading>
          {option && <span className="mt-1"><Chip option={option} /></span>}
          <Suspense fallback={null}><Followers entity={entity.name} id={row.id} /></Suspense>
          <Present here={here} entity={entity} />
        </div>
        <div className="mt-2 no-print"><ActionBar entity={entity} row={row} dirty={dirty} max={wide ? 5 : 3} onDone={() => records.refresh(entity.name)} /></div>
      </div>
      {tabs}
      <div ref={box} className="flex-1 min-h-0 overflow-auto" role="presentation" onKeyDown={(e) => { if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) { e.preventDefault(); void save() } }}>
        <Tabs.Content value="overview" className={clsx('outline-none p-4 pt-3', wide && 'px-6')} tabIndex={-1}>
          {(entity.states || entity.actions.length > 0) && <Suspense fallback={null}><Approvals entity={entity.name} id={row.id} /></Suspense>}
          <OtherErrors message={Object.keys(errors).some(known) ? '' : message} errors={errors} known={known} />
          <div className={columns}>{shown.filter((f) => !late.has(f)).map((f) => field(f, true))}</div>
          {late.size === 0 && more}
          {entity.lines.map((l, i) => {
            const m = metas[i]?.data
            const now = lines[l.name] ?? asLines(row[l.name])
            return (
              <section key={l.name} className="mt-5" aria-label={l.label ?? m?.plural ?? l.name}>
                <Sub className="m-0 mb-1 text-2xs font-semibold text-faint">{l.label ?? m?.plural}</Sub>
                {!m ? <Skeleton rows={2} /> : wide && !(narrow && locked)
                  ? <LinesEditor meta={m} fk={l.fk} name={l.name} rows={now} parent={row} errors={errors} locked={locked} onChange={(r) => setLines((o) => ({ ...o, [l.name]: r }))} />
                  : <LinesCompact meta={m} fk={l.fk} rows={now} parent={row} />}
              </section>
            )
          })}
          {totals.length > 0 && <Totals entity={entity} fields={totals} row={row} />}
          {(details.length > 0 || late.size > 0) && (
            <section className="mt-5" aria-label={t('record.details')}>
              <Sub className="m-0 mb-1 text-2xs font-semibold text-faint">{t('record.details')}</Sub>
              <div className={columns}>{shown.filter((f) => late.has(f)).map((f) => field(f, true))}{details.map((f) => field(f, false))}</div>
              {late.size > 0 && more}
            </section>
          )}
        </Tabs.Content>
        <Tabs.Content value="related" className="outline-none" tabIndex={-1}>{current === 'related' && <Related entity={entity} id={row.id} wide={wide} />}</Tabs.Content>
        <Tabs.Content value="comments" className="outline-none data-[state=active]:flex flex-col min-h-full data-[state=inactive]:hidden" tabIndex={-1}>{current === 'comments' && <Suspense fallback={<Skeleton rows={4} />}><Comments entity={entity.name} id={row.id} wide={wide} /></Suspense>}</Tabs.Content>
        <Tabs.Content value="activity" className="outline-none" tabIndex={-1}>{current === 'activity' && <Suspense fallback={<Skeleton rows={4} />}><History entity={entity} row={row} wide={wide} /></Suspense>}</Tabs.Content>
        <Tabs.Content value="files" className="outline-none" tabIndex={-1}>{current === 'files' && <Files entity={entity.name} id={row.id} />}</Tabs.Content>
      </div>
      {dirty && (
        <div className="flex items-center gap-2 px-4 py-2 border-t border-line bg-raised flex-none" role="region" aria-label={t('record.unsaved')}>
          <span className="flex-1 text-muted">{message ? (Object.keys(errors).some(known) ? t('record.attention') : message) : t('record.unsaved')}</span>
          <button type="button" className="btn" onClick={reset}>{t('discard')}</button>
          <button type="button" className="btn primary" disabled={busy} aria-busy={busy} onClick={() => void save()}>{t('save')}<kbd aria-hidden="true">{MOD}↵</kbd></button>
        </div>
      )}
      <Suspense fallback={null}>
        {conflict && <ConflictDialog entity={entity} id={row.id} changes={conflict} onClose={() => { setConflict(null); reset(); records.refresh(entity.name) }} onDone={() => { setConflict(null); reset(); records.refresh(entity.name) }} />}
      </Suspense>
    </>
  )
}

/** A document that has left its first state keeps its lines. The server would refuse; the screen does not tempt. */
function linesLocked(entity: Entity, row: Row): boolean {
  if (!entity.states || !entity.document) return false
  const initial = entity.states.options[0]?.id
  return initial !== undefined && row[entity.states.field] !== initial
}

function FieldRow({ field: f, row, canEdit, open, value, error, wide, by, onOpen, onChange, onLeave, onCancel, onSave }: {
  field: Field; row: Row; canEdit: boolean; open: boolean; value: unknown; error: string | undefined; wide: boolean; by: string | undefined
  onOpen: () => void; onChange: (v: unknown) => void; onLeave: () => void; onCancel: () => void; onSave: () => void
}) {
  const { t } = useTranslation()
  const locale = useLocale()
  const type = typeOf(f)
  const id = `f-${f.name}`
  // Who has no portrait has initials.
  const empty = f.look !== 'avatar' && (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0))
  return (
    <div className={clsx('grid items-start gap-x-2 py-px', wide && type.wide && 'lg:col-span-2')} style={{ gridTemplateColumns: wide && type.wide ? '128px minmax(0,1fr)' : '128px minmax(0,1fr)' }}>
      <div id={id} className="text-muted pt-[5px]" style={{ overflowWrap: 'anywhere' }} title={f.help ?? undefined}>{f.label}</div>
      <div className={clsx('min-w-0', by && 'occupied')} style={by ? ringOf(by) : undefined}>
        {by && <div className="occupant">{t('record.editedBy', { name: by })}</div>}
        {open && canEdit ? (
          <div role="presentation" onBlur={(e) => { if (!e.currentTarget.contains(e.relatedTarget)) onLeave() }}
            onKeyDown={(e) => {
              if (e.defaultPrevented) return
              if (e.key === 'Escape') { e.preventDefault(); e.stopPropagation(); onCancel() }
              else if (e.key === 'Enter' && !e.metaKey && !e.ctrlKey && (e.target as HTMLElement).tagName === 'INPUT') { e.preventDefault(); onSave() }
            }}>
            <type.Input field={f} value={value ?? null} onChange={onChange} record={row} label={f.label} invalid={!!error} describedBy={error ? id + 'e' : undefined} autoFocus={!error} />
          </div>
        ) : canEdit ? (
          // A link inside the value stays a link: the button lies beside it, not around it.
          <div className="flex items-center group">
            <div className="value" style={{ width: 'auto', minWidth: 0 }} role="presentation" onClick={(e) => { if (!(e.target as HTMLElement).closest('a')) onOpen() }}>{empty ? <span className="text-faint">—</span> : <Shown type={type} f={f} value={value} row={row} locale={locale} />}</div>
            <button type="button" className="value flex-1 self-stretch text-faint text-xs opacity-0 group-hover:opacity-100 focus-visible:opacity-100" style={{ minWidth: 44, justifyContent: 'flex-end' }} aria-label={t('editNamed', { name: f.label })} onClick={onOpen}>{t('edit')}</button>
          </div>
        ) : <div className="value">{empty ? <span className="text-faint">—</span> : <Shown type={type} f={f} value={value} row={row} locale={locale} />}</div>}
        {error && <div id={id + 'e'} className="field-error px-2 pb-1" role="alert">{error}</div>}
      </div>
    </div>
  )
}

function Shown({ type, f, value, row, locale }: { type: ReturnType<typeof typeOf>; f: Field; value: unknown; row: Row; locale: ReturnType<typeof useLocale> }) {
  if (f.type === 'textarea' && f.look !== 'markdown') return <span style={{ whiteSpace: 'pre-wrap' }}>{String(value)}</span>
  return <span className={clsx('inline-flex min-w-0 flex-wrap', type.align && 'num')}><type.Cell field={f} value={value} record={row} locale={locale} link whole /></span>
}

function Totals({ entity, fields, row }: { entity: Entity; fields: Field[]; row: Row }) {
  const locale = useLocale()
  // The sum the list shows is the one that matters.
  const main = entity.list.find((n) => fields.some((f) => f.name === n))
  return (
    <dl className="m-0 mt-3 ms-auto w-full max-w-[300px]">
      {fields.map((f) => (
        <div key={f.name} className={clsx('flex justify-between h-7 items-center', f.name === main && 'font-semibold')}>
          <dt className="text-muted">{f.label}</dt><dd className="m-0 num">{typeOf(f).format(row[f.name], f, locale, currencyOf(f, row)) || '—'}</dd>
        </div>
      ))}
    </dl>
  )
}
