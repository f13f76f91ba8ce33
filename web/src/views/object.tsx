import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { Plus, Search } from 'lucide-react'
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { messageOf } from '@/api/http'
import * as records from '@/api/records'
import { queryClient } from '@/api/session'
import { withWords } from '@/i18n'
import { useKeys } from '@/lib/keys'
import { useNarrow } from '@/lib/narrow'
import { fieldOf, listFields, titleOf, useEntity, useMeta, wireSort } from '@/meta/hooks'
import type { Condition, Entity, Field, Row, Rule } from '@/meta/types'
import { isStale, saveFields } from '@/record/save'
import { Empty, Failure, Skeleton } from '@/ui/basics'
import { EntityIcon } from '@/ui/icon'
import { Footer } from './footer'
import { Grid, type MenuAt, type Paint, type Selection } from './grid'
import { PAGE, useParamsOf, useRows } from './rows'
import { NO_VIEW, useViews, viewOf } from './views'
import { changed, columnsOf, kindOf, merged, nextSort, sendable, type Options, type TableSearch, type ViewHandle } from './state'

const OtherView = lazy(() => withWords(() => import('./other')))
const GroupedGrid = lazy(() => withWords(() => import('./group')))
const TotalsRow = lazy(() => withWords(() => import('./totals-row')))
const Toolbar = lazy(() => withWords(() => import('./tools')))
const GridMenu = lazy(() => withWords(() => import('./grid-menu')))
const BulkBar = lazy(() => withWords(() => import('./bulk')))
const RecordPanel = lazy(() => withWords(() => import('@/record/panel')))
const CreateDialog = lazy(() => withWords(() => import('@/record/create')))
const ConflictDialog = lazy(() => withWords(() => import('@/record/conflict')))

export function ObjectPage() {
  const { entity: name } = useParams({ from: '/house/o/$entity' })
  const { data, error, refetch } = useEntity(name)
  // Which relations may be read is said in the index.
  const { isPending } = useMeta()
  // The view that opens first is the first that is seen.
  const views = useViews(name)
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (!data || isPending || views.isPending) return <Skeleton rows={12} />
  return <Table key={name} entity={data} />
}

const NONE: Selection = { ids: new Set(), all: false }

function Table({ entity }: { entity: Entity }) {
  const { t } = useTranslation()
  const navigate = useNavigate({ from: '/o/$entity' })
  const search = useSearch({ from: '/house/o/$entity' })
  const { data: views } = useViews(entity.name)
  const current = viewOf(views, search)
  const state = merged(search, current)
  const kind = kindOf(search, current)
  const columnKey = JSON.stringify(state.columns)
  const columns = useMemo(() => columnsOf(entity, state), [entity, columnKey])
  const filter = sendable(state.filter)
  const formatKey = JSON.stringify(state.format)
  const group = state.group?.filter((g) => fieldOf(entity, g.split(':')[0]!))
  const params = useParamsOf(filter, search.q, wireSort(entity, state.sort), listFields(entity, formatKey ? [...columns, ...entity.fields.filter((f) => formatKey.includes(`"${f.name}"`))] : columns))
  const [[first, last], setRange] = useState<[number, number]>([0, 0])
  const rows = useRows(entity.name, params, first, last, kind === 'table' && !group?.length)
  // Only pages matter: scrolling within one draws nothing here again.
  const see = useCallback((a: number, b: number) => setRange((old) => (Math.floor(old[0] / PAGE) === Math.floor(a / PAGE) && Math.floor(old[1] / PAGE) === Math.floor(b / PAGE) ? old : [a, b])), [])
  const [selection, setSelection] = useState<Selection>(NONE)
  const [opened, setOpened] = useState<number | null>(null)
  const [conflict, setConflict] = useState<{ row: Row; changes: Record<string, unknown> } | null>(null)
  const grid = useRef<ViewHandle>(null)
  const searchBox = useRef<HTMLInputElement>(null)
  const cards = useNarrow()

  useEffect(() => { document.title = `${entity.plural} · Fondaco` }, [entity])
  useEffect(() => setSelection(NONE), [params.filter, params.q])

  const set = useCallback((part: Partial<TableSearch>, replace = true) => {
    void navigate({ search: (old: TableSearch) => { const next: Record<string, unknown> = { ...(current ? { view: current.id } : {}), ...old, ...part }; for (const k of Object.keys(next)) if (next[k] === undefined) delete next[k]; return next as TableSearch }, replace })
  }, [navigate, current?.id])
  const setFilter = (c: Condition) => set({ filter: c.rules.length || current?.state.filter?.rules.length ? c : undefined } as Partial<TableSearch>)
  const setSort = (sort: string) => set({ sort: sort === '' && !current?.state.sort ? undefined : sort } as Partial<TableSearch>)
  const pickView = (id: string | undefined) => void navigate({ search: { ...(id ? { view: id } : views?.some((v) => v.is_default) ? { view: NO_VIEW } : {}), ...(search.rec ? { rec: search.rec } : {}) } })
  const open = useCallback((row: Row) => set({ rec: row.id }, false), [set])

  const [q, setQ] = useState(search.q ?? '')
  // What comes back from the address is not put over what was typed meanwhile.
  const sent = useRef(search.q ?? '')
  useEffect(() => { const now = search.q ?? ''; if (now !== sent.current) { sent.current = now; setQ(now) } }, [search.q])
  useEffect(() => {
    if (q === (search.q ?? '')) return
    const timer = setTimeout(() => { sent.current = q; set({ q: q || undefined } as Partial<TableSearch>) }, 250)
    return () => clearTimeout(timer)
  }, [q])

  const [preset, setPreset] = useState<Record<string, unknown>>({})
  const create = (with_: Record<string, unknown> = {}) => { setPreset(with_); set({ new: true }, false) }
  const pickKind = (k: string) => set({ as: k === (current?.kind || 'table') ? undefined : k } as Partial<TableSearch>, false)
  const setOptions = (part: Options) => set({ options: { ...search.options, ...part } })
  const escape = () => search.rec && set({ rec: undefined } as unknown as Partial<TableSearch>)
  const creating = search.new === true && entity.can.create
  // What was closed gives the keyboard back to the table, unless it has gone elsewhere.
  useEffect(() => { if (!search.rec && !creating && !cards && document.activeElement === document.body) grid.current?.focus() }, [search.rec, creating, cards])
  useKeys({
    c: () => entity.can.create && create(),
    '/': () => searchBox.current?.focus(),
    j: () => step(1), k: () => step(-1),
    // From nowhere in particular; the panel and the views hear it themselves.
    Escape: escape,
  })
  const step = (by: number) => {
    if (!search.rec) return
    const next = grid.current?.step?.(search.rec, by)
    if (next) set({ rec: next.id })
  }

  const edit = useCallback(async (row: Row, field: Field, value: unknown): Promise<true | string> => {
    // Shown at once, taken back if the server says no.
    records.putRow(entity.name, { ...row, [field.name]: value })
    try {
      await saveFields(entity, row, { [field.name]: value }, t('changed', { field: field.label }))
      records.refresh(entity.name)
      return true
    } catch (e) {
      records.putRow(entity.name, row)
      if (isStale(e)) { setConflict({ row, changes: { [field.name]: value } }); return messageOf(e) }
      toast.error(`${field.label}: ${messageOf(e)}`, { duration: 8000, description: titleOf(entity, row) })
      return messageOf(e)
    }
  }, [entity, t])

  const move = (name: string, to: number) => { const names = columns.map((c) => c.name).filter((n) => n !== name); names.splice(Math.max(0, Math.min(names.length, to)), 0, name); set({ columns: names }) }
  const [menu, setMenu] = useState<MenuAt | null>(null)
  const [paint, setPaint] = useState<(row: Row) => Paint | null>()
  useEffect(() => {
    let live = true
    if (!formatKey) setPaint(undefined)
    else void withWords(() => import('./paint')).then((m) => live && setPaint(() => m.painter(entity, state.format ?? [])))
    return () => { live = false }
  }, [entity, formatKey])
  const addRules = (rules: Rule[]) => setFilter({ operator: 'AND', rules: [...(state.filter?.operator === 'OR' ? [state.filter] : state.filter?.rules ?? []), ...rules] })
  const filterBy = (row: Row, field: Field) => void import('./cell-rule').then((m) => addRules([m.ruleOf(field, row[field.name])]))
  const known = (): Row[] => queryClient.getQueriesData<records.Page>({ queryKey: ['rows', entity.name] }).flatMap(([, page]) => page?.data ?? []).filter((r, i, all) => all.findIndex((x) => x.id === r.id) === i)
  const table = {
    handle: grid, entity, columns, widths: state.widths ?? {}, frozen: state.frozen ?? 1, sort: state.sort, selection, onSelect: setSelection, openId: search.rec, cards, paint,
    onSort: (n: string, add: boolean) => setSort(nextSort(state.sort, n, add)), onWidth: (n: string, w: number) => set({ widths: { ...search.widths, [n]: w } }), onMove: move, onMenu: setMenu, onFilterBy: filterBy, onOpen: open, onEdit: edit,
    onEscape: () => { if (selection.all || selection.ids.size) setSelection(NONE); else escape() },
    renderFoot: (x: { widths: number[]; whole: number; lefts: number[]; index: number }) => <Suspense fallback={null}><TotalsRow {...x} entity={entity} columns={columns} totals={state.totals} filter={filter} q={search.q} onChange={(n, fn) => set({ totals: { ...search.totals, [n]: fn } })} /></Suspense>,
  }
  const dirty = changed(search)
  const empty = !rows.loading && !rows.error && rows.total === 0
  const narrowed = !!filter || !!search.q
  const nothing = (
    <div className="flex-1 overflow-auto"><Empty icon={<EntityIcon name={entity.icon} size={26} />} title={narrowed ? t('empty.noMatch') : t('empty.title', { name: entity.plural.toLowerCase() })} text={narrowed ? t('empty.noMatchText') : entity.description || t('empty.text')}>
      {narrowed ? <button type="button" className="btn" onClick={() => { setQ(''); void navigate({ search: search.view ? { view: search.view, filter: { operator: 'AND', rules: [] } } : {} }) }}>{t('filter.clear')}</button>
        : <>{entity.can.create && <button type="button" className="btn primary" onClick={() => create()}>{t('newNamed', { name: entity.label })}</button>}{entity.can.import && <button type="button" className="btn" onClick={() => void navigate({ to: '/o/$entity/import', params: { entity: entity.name }, search: {} })}>{t('import.title')}</button>}</>}
    </Empty></div>
  )

  return (
    <div className="flex-1 min-h-0 flex flex-col relative">
      <header className="flex items-center gap-2 h-12 px-4 flex-none max-md:px-3">
        <h1 className="text-lg font-semibold m-0 truncate flex-1">{entity.plural}</h1>
        <div className="relative w-[210px] max-md:w-[120px]">
          <Search size={14} className="absolute start-2.5 top-1/2 -translate-y-1/2 text-muted pointer-events-none" aria-hidden="true" />
          <input ref={searchBox} type="search" className="input" style={{ height: 30, paddingInlineStart: 30, borderColor: 'var(--line-strong)' }} aria-label={t('searchIn', { name: entity.plural })} placeholder={`${entity.plural}…`} value={q} onChange={(e) => setQ(e.target.value)}
            onKeyDown={(e) => { if (e.key === 'Escape') { if (q) { e.preventDefault(); setQ('') } else grid.current?.focus() } if (e.key === 'Enter' || e.key === 'ArrowDown') { e.preventDefault(); grid.current?.focus() } }} />
        </div>
        {entity.can.create && <button type="button" className="btn primary" onClick={() => create()}><Plus size={15} />{t('new')}<kbd aria-hidden="true">C</kbd></button>}
      </header>
      <div className="flex items-center gap-1.5 min-h-9 px-3 pb-1 flex-none border-b border-line flex-wrap max-md:flex-nowrap max-md:overflow-x-auto">
        <Suspense fallback={<span className="h-[26px]" />}><Toolbar entity={entity} views={views ?? []} current={current} state={state} kind={kind} dirty={dirty} columns={columns} cards={cards} opened={opened} setOpened={setOpened}
          onPick={pickView} onKind={pickKind} onOptions={setOptions} onFilter={setFilter} onSort={setSort} onState={set} onOpenAll={(to) => grid.current?.openAll?.(to)} params={params} /></Suspense>
      </div>
      <div className="flex-1 min-h-0 flex relative">
        <div className="flex-1 min-w-0 flex flex-col relative">
          {rows.error ? <div className="flex-1"><Failure error={rows.error} retry={rows.retry} /></div>
            : kind !== 'table' ? <Suspense fallback={<Skeleton rows={8} />}><OtherView kind={kind} options={state.options} onOptions={setOptions} empty={empty && nothing} onTable={() => pickKind('table')} handle={grid} entity={entity} columns={columns} params={params} on={search.on} span={search.span} onGo={(on, span) => set({ on, ...(span ? { span } : {}) })}
                openId={search.rec} onOpen={open} onCreate={create} onEscape={escape} onFilter={addRules} /></Suspense>
            : empty ? nothing
              : group?.length ? <Suspense fallback={<Skeleton rows={10} />}><GroupedGrid {...table} group={group} totals={state.totals} params={params} filter={filter} q={search.q} /></Suspense>
              : <Grid {...table} total={rows.total || (rows.loading ? 24 : 0)} row={rows.row} range={rows.range} onRange={see} />}
          <Suspense fallback={null}>{(selection.all || selection.ids.size > 0) && <BulkBar entity={entity} selection={selection} total={rows.count?.value ?? rows.total} filter={filter} q={search.q} known={known} onClear={() => setSelection(NONE)} onAll={() => setSelection({ ids: new Set(), all: true })} />}</Suspense>
          {kind === 'table' && <Footer entity={entity} columns={columns} totals={state.totals} filter={filter} q={search.q} count={rows.count} cards={cards} />}
        </div>
        <Suspense fallback={null}>
          {search.rec && <RecordPanel key={search.rec} entity={entity.name} id={search.rec} tab={search.tab} onTab={(tab) => set({ tab })} onStep={step} onClose={() => { set({ rec: undefined, tab: undefined } as unknown as Partial<TableSearch>) }} />}
          {creating && <CreateDialog entity={entity} preset={preset} onClose={() => set({ new: undefined } as unknown as Partial<TableSearch>)} onCreated={(row) => { records.refresh(entity.name); set({ new: undefined, rec: row.id } as unknown as Partial<TableSearch>) }} />}
          {menu && <GridMenu entity={entity} menu={menu} columns={columns} state={state} onClose={() => setMenu(null)} onSort={setSort} onState={set} onMove={move} onRules={addRules} onOpen={open} onShown={(i) => setTimeout(() => setOpened(i), 60)} />}
          {conflict && <ConflictDialog entity={entity} id={conflict.row.id} changes={conflict.changes} onClose={() => { setConflict(null); records.refresh(entity.name) }} onDone={() => { setConflict(null); records.refresh(entity.name) }} />}
        </Suspense>
      </div>
    </div>
  )
}
