import { useNavigate } from '@tanstack/react-router'
import { ArrowDown, ArrowUp, ArrowUpDown, ChevronsDownUp, ChevronsUpDown, Columns3, Download, Ellipsis, Paintbrush, Printer, Rows3, Upload, X } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import * as records from '@/api/records'
import { MOD } from '@/lib/keys'
import { fieldOf, visibleFields } from '@/meta/hooks'
import type { Condition, Entity, Field } from '@/meta/types'
import { Menu, Popover, Skeleton } from '@/ui/basics'
import ColumnList from './column-list'
import { AddFilter, FieldPicker, FilterChips } from './filters'
import { groupable, isDay, STEPS, stepOf } from './group/state'
import KindSwitch from './kind-switch'
import { ViewTabs } from './saved'
import Printed from './printed'
import { sorts, writeSort, type Options, type SavedView, type TableSearch, type ViewState } from './state'

const FormatRules = lazy(() => import('./format-rules'))

interface Props {
  entity: Entity; views: SavedView[]; current: SavedView | undefined; state: ViewState; kind: string; dirty: boolean; columns: Field[]; cards: boolean; opened: number | null; setOpened: (i: number | null) => void
  onPick: (id: string | undefined) => void; onKind: (k: string) => void; onOptions: (part: Options) => void; onFilter: (c: Condition) => void; onSort: (s: string) => void; onState: (part: Partial<TableSearch>) => void; onOpenAll: (to: boolean) => void; params: records.ListParams
}

/** What is looked at, and how: views, kinds, filters; order, groups, columns and colours of the rows. */
export default function Tools({ entity, views, current, state, kind, dirty, columns, cards, opened, setOpened, onPick, onKind, onOptions, onFilter, onSort, onState, onOpenAll, params }: Props) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const group = state.group ?? []
  const rules = state.format ?? []
  const table = kind === 'table'
  // On paper a group has its heading; parts of time stand in their order.
  const spec = kind === 'board' ? state.options?.lanes : kind === 'table' ? group[0] : undefined
  const by = typeof spec === 'string' && !spec.includes(':') ? fieldOf(entity, spec) : kind === 'board' && entity.states ? fieldOf(entity, entity.states.field) : undefined
  return (
    <>
      <ViewTabs entity={entity} views={views} current={current} state={state} kind={kind} dirty={dirty} onPick={onPick} />
      <span className="w-px h-5 bg-line mx-1" />
      <KindSwitch entity={entity} kind={kind} options={state.options} onPick={onKind} onOptions={onOptions} />
      <AddFilter entity={entity} filter={state.filter} onChange={onFilter} onAdded={(i) => setTimeout(() => setOpened(i), 60)} />
      <FilterChips entity={entity} filter={state.filter} onChange={onFilter} opened={opened} setOpened={setOpened} />
      <SortMenu entity={entity} sort={state.sort} onChange={onSort} />
      {table && <GroupMenu entity={entity} group={group} onChange={(g) => onState({ group: g })} onOpenAll={onOpenAll} />}
      {!cards && (
        <Popover width={300} label={t('columns.title')} trigger={<button type="button" className="btn ghost sm"><Columns3 size={14} />{t('columns.title')}</button>}>
          <ColumnList entity={entity} columns={columns} onChange={(names) => onState({ columns: names })} onReset={() => onState({ columns: undefined, widths: undefined, frozen: undefined } as unknown as Partial<TableSearch>)} />
        </Popover>
      )}
      {table && !cards && (
        <Popover width={380} label={t('format.title')} trigger={<button type="button" className="btn ghost sm"><Paintbrush size={14} />{t('format.title')}{rules.length > 0 && <span className="num text-accent-text">{rules.length}</span>}</button>}>
          <Suspense fallback={<Skeleton rows={4} />}><FormatRules entity={entity} columns={columns} rules={rules} onChange={(format) => onState({ format })} /></Suspense>
        </Popover>
      )}
      <span className="flex-1" />
      <Menu align="end" width={210} trigger={<button type="button" className="btn ghost icon sm" aria-label={t('moreActions')}><Ellipsis size={16} /></button>} items={[
        entity.can.import && { label: t('import.title'), icon: <Upload size={15} />, onSelect: () => void navigate({ to: '/o/$entity/import', params: { entity: entity.name }, search: {} }) },
        { label: t('print.title'), icon: <Printer size={15} />, hint: `${MOD}P`, onSelect: () => setTimeout(() => dispatchEvent(new Event('fondaco:print')), 50) },
        entity.can.export && { heading: t('export') },
        ...(entity.can.export ? ['csv', 'xlsx', 'json'].map((f) => ({ label: t('exportAs', { format: f.toUpperCase() }), icon: <Download size={15} />, href: records.exportUrl(entity.name, f, { ...params, fields: columns.map((c) => c.name).join(',') }) })) : []),
      ]} />
      <Printed entity={entity} columns={columns} params={params} kind={kind} by={by} view={current?.name} />
    </>
  )
}

function SortMenu({ entity, sort, onChange }: { entity: Entity; sort: string | undefined; onChange: (s: string) => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const all = sorts(sort)
  return (
    <Popover open={open} onOpenChange={setOpen} width={260} label={t('sort.title')} trigger={
      <button type="button" className="btn ghost sm"><ArrowUpDown size={14} />{all.length ? all.map((s) => fieldOf(entity, s.name)?.label ?? s.name).join(', ') : t('sort.title')}</button>}>
      {all.map((s, i) => (
        <div key={s.name} className="flex items-center gap-1 h-8 ps-2">
          <span className="flex-1 truncate">{fieldOf(entity, s.name)?.label ?? s.name}</span>
          <button type="button" className="btn ghost sm" onClick={() => onChange(writeSort(all.map((x, j) => (j === i ? { ...x, down: !x.down } : x))))}>{s.down ? t('sort.down') : t('sort.up')}</button>
          <button type="button" className="btn ghost icon sm" aria-label={t('remove')} onClick={() => onChange(writeSort(all.filter((_, j) => j !== i)))}><X size={13} /></button>
        </div>
      ))}
      {all.length > 0 && <div className="rule" />}
      <FieldPicker placeholder={t('sort.add')} fields={visibleFields(entity).filter((f) => f.sortable && !all.some((s) => s.name === f.name))} onPick={(f) => { onChange(writeSort([...all, { name: f.name, down: false }])); setOpen(false) }} />
    </Popover>
  )
}

function GroupMenu({ entity, group, onChange, onOpenAll }: { entity: Entity; group: string[]; onChange: (g: string[]) => void; onOpenAll: (to: boolean) => void }) {
  const { t } = useTranslation()
  const levels = group.flatMap((spec) => { const [name, step] = spec.split(':'); const field = fieldOf(entity, name!); return field ? [{ spec, field, step }] : [] })
  const move = (i: number, to: number) => { const next = [...group]; next.splice(to, 0, ...next.splice(i, 1)); onChange(next) }
  return (
    <Popover width={310} label={t('group.title')} trigger={<button type="button" className="btn ghost sm"><Rows3 size={14} />{levels.length ? <span className="max-w-[200px] truncate">{levels.map((l) => l.field.label).join(' › ')}</span> : t('group.title')}</button>}>
      {levels.map(({ spec, field, step }, i) => (
        <div key={spec} className="flex items-center gap-1 h-9 ps-2">
          <span className="flex-1 truncate">{field.label}</span>
          {isDay(field) && <select className="input" style={{ width: 112, height: 28 }} aria-label={t('group.step', { name: field.label })} value={step ?? 'month'} onChange={(e) => onChange(group.map((g, j) => (j === i ? `${field.name}:${e.target.value}` : g)))}>{STEPS.map((s) => <option key={s} value={s}>{t(`group.by_${s}`)}</option>)}</select>}
          <button type="button" className="btn ghost icon sm" disabled={i === 0} aria-label={t('columns.up', { name: field.label })} onClick={() => move(i, i - 1)}><ArrowUp size={13} /></button>
          <button type="button" className="btn ghost icon sm" disabled={i === levels.length - 1} aria-label={t('columns.down', { name: field.label })} onClick={() => move(i, i + 1)}><ArrowDown size={13} /></button>
          <button type="button" className="btn ghost icon sm" aria-label={t('removeNamed', { name: field.label })} onClick={() => onChange(group.filter((_, j) => j !== i))}><X size={13} /></button>
        </div>
      ))}
      {levels.length > 0 && <>
        <div className="flex gap-1 pt-1"><button type="button" className="btn ghost sm" onClick={() => onOpenAll(true)}><ChevronsUpDown size={13} />{t('group.openAll')}</button><button type="button" className="btn ghost sm" onClick={() => onOpenAll(false)}><ChevronsDownUp size={13} />{t('group.closeAll')}</button></div>
        <div className="rule" />
      </>}
      {levels.length < 3
        ? <FieldPicker placeholder={levels.length ? t('group.then') : t('group.add')} fields={visibleFields(entity).filter((f) => groupable(f) && !levels.some((l) => l.field === f))} onPick={(f) => onChange([...group, stepOf(f)])} />
        : <div className="px-2 py-1.5 text-muted text-xs">{t('group.most')}</div>}
    </Popover>
  )
}
