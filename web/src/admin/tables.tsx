import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { ArrowLeft, ArrowRight, Kanban, Pencil, Plus, SquarePen, Table2, Trash2, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { del, get, messageOf, patch, post } from '@/api/http'
import { queryClient } from '@/api/session'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Chip, Confirm, Dialog, Empty, Failure, Labelled, Skeleton } from '@/ui/basics'
import { EntityIcon } from '@/ui/icon'
import { ICONS } from '@/ui/icon-names'
import { COLORS, FieldList, keyOf } from './fields'
import { Section } from './layout'

export { CustomFields } from './fields'

interface State { id: string; label: string; color?: string }
interface Move { action: string; label: string; source: string; target: string }
interface OwnTable { id: string; name: string; entity: string; title: string; singular: string | null; description: string | null; icon: string | null; states: State[]; moves: Move[] }

const listed = (deleted: boolean) => () => get<{ data: OwnTable[] }>('/tables', deleted ? { deleted: 'true' } : {}).then((r) => r.data)
/** The table is there, or not, for the menu and everything else too. */
const renew = async () => { await Promise.all([queryClient.invalidateQueries({ queryKey: ['tables'] }), queryClient.invalidateQueries({ queryKey: ['meta'] })]) }

export function Tables() {
  const { t } = useTranslation()
  const { table: asked } = useSearch({ from: '/house/settings/tables' })
  const navigate = useNavigate()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['tables'], queryFn: listed(false) })
  const { data: gone } = useQuery({ queryKey: ['tables', 'deleted'], queryFn: listed(true) })
  const [making, setMaking] = useState(false)
  const restore = async (table: OwnTable) => { await post(`/tables/${table.id}/restore`, {}); await renew() }
  const one = data?.find((x) => x.id === asked)
  if (one) return <Design key={one.id} table={one} onRestore={restore} />
  return (
    <Section title={t('settings.tables')} text={t('tables.text')} actions={<button type="button" className="btn primary" onClick={() => setMaking(true)}><Plus size={15} />{t('tables.new')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : data.length === 0 ? <Empty icon={<Table2 size={26} />} title={t('tables.none')} text={t('tables.noneText')} /> : (
        <ul className="list-none m-0 p-0">{data.map((x) => (
          <li key={x.id} className="border-b border-line">
            <Link to="/settings/tables" search={{ table: x.id }} className="flex items-center gap-3 py-2.5 no-underline text-fg">
              <EntityIcon name={x.icon} size={18} className="text-muted flex-none" />
              <span className="flex-1 min-w-0"><strong className="font-semibold">{x.title}</strong>{x.description && <span className="block text-muted truncate">{x.description}</span>}</span>
              <span className="flex gap-1 max-md:hidden">{x.states.slice(0, 4).map((s) => <Chip key={s.id} option={s} />)}</span>
            </Link>
          </li>
        ))}</ul>
      )}
      {!!gone?.length && (
        <section className="mt-8"><h2 className="text-sm font-semibold">{t('tables.trash')}</h2>
          <ul className="list-none m-0 p-0">{gone.map((x) => <li key={x.id} className="flex items-center gap-3 border-b border-line py-2"><span className="flex-1 text-muted">{x.title}</span><button type="button" className="btn sm" aria-label={`${t('tables.restore')}: ${x.title}`} onClick={() => void restore(x).catch((e) => toast.error(messageOf(e)))}>{t('tables.restore')}</button></li>)}</ul>
        </section>
      )}
      {making && <TableDialog table={null} onClose={() => setMaking(false)} onDone={(made) => { setMaking(false); void navigate({ to: '/settings/tables', search: { table: made.id } }) }} />}
    </Section>
  )
}

function TableDialog({ table, onClose, onDone }: { table: OwnTable | null; onClose: () => void; onDone: (made: OwnTable) => void }) {
  const { t } = useTranslation()
  const [v, setV] = useState({ title: table?.title ?? '', singular: table?.singular ?? '', name: table?.name ?? '', icon: table?.icon ?? 'table', description: table?.description ?? '' })
  const [named, setNamed] = useState(!!table)
  const { submit, busy, errors, message } = useSubmit(async () => {
    const said = { title: v.title, singular: v.singular || null, icon: v.icon, description: v.description || null }
    const made = table ? await patch<OwnTable>(`/tables/${table.id}`, said) : await post<OwnTable>('/tables', { ...said, name: v.name })
    await renew()
    done(t('saved'))
    onDone(made)
  })
  return (
    <Dialog title={table ? table.title : t('tables.new')} width={520} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !v.title.trim() || !v.name}>{table ? t('save') : t('create')}</button></>}>
      {message && !Object.keys(errors).length && <div className="note bad mb-3" role="alert">{message}</div>}
      <div className="grid grid-cols-2 gap-4">
        <Labelled label={t('tables.title')} required error={errors.title} help={t('tables.titleHelp')}>{(p) => <input {...p} className="input" value={v.title} onChange={(e) => setV({ ...v, title: e.target.value, ...(named ? {} : { name: keyOf(e.target.value) }) })} />}</Labelled>
        <Labelled label={t('tables.singular')} error={errors.singular} help={t('tables.singularHelp')}>{(p) => <input {...p} className="input" value={v.singular} onChange={(e) => setV({ ...v, singular: e.target.value })} />}</Labelled>
        <Labelled label={t('tables.key')} required error={errors.name} help={t('tables.keyHelp')}>{(p) => <input {...p} className="input" disabled={!!table} value={v.name} onChange={(e) => { setNamed(true); setV({ ...v, name: e.target.value }) }} />}</Labelled>
        <fieldset className="border-0 p-0 m-0 min-w-0"><legend className="field-label">{t('tables.icon')}</legend>
          <div className="flex flex-wrap gap-1">{ICONS.map((name) => <button key={name} type="button" className={clsx('btn ghost icon sm', v.icon === name && 'on')} aria-label={t(`icons.${name}`)} aria-pressed={v.icon === name} onClick={() => setV({ ...v, icon: name })}><EntityIcon name={name} size={15} /></button>)}</div>
        </fieldset>
        <Labelled label={t('tables.description')} error={errors.description} className="col-span-2">{(p) => <input {...p} className="input" value={v.description} onChange={(e) => setV({ ...v, description: e.target.value })} />}</Labelled>
      </div>
    </Dialog>
  )
}

/** One table: what it is called, its fields, its flow, and the ways to use it. */
function Design({ table, onRestore }: { table: OwnTable; onRestore: (table: OwnTable) => Promise<void> }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  const [dropping, setDropping] = useState(false)
  const drop = async () => {
    await del(`/tables/${table.id}`)
    await renew()
    void navigate({ to: '/settings/tables', search: {} })
    done(t('deleted', { name: table.title }), () => onRestore(table))
  }
  const to = { to: '/o/$entity', params: { entity: table.entity }, className: 'btn no-underline' } as const
  return (
    <Section title={table.title} text={table.description ?? ''} actions={<><button type="button" className="btn ghost icon" aria-label={t('editNamed', { name: table.title })} onClick={() => setEditing(true)}><Pencil size={15} /></button><button type="button" className="btn ghost icon" aria-label={t('removeNamed', { name: table.title })} onClick={() => setDropping(true)}><Trash2 size={15} /></button></>}>
      <div className="flex flex-wrap items-center gap-2 mb-6">
        <Link to="/settings/tables" search={{}} className="btn ghost no-underline"><ArrowLeft size={15} aria-hidden="true" />{t('tables.back')}</Link>
        <Link {...to} search={{}}><Table2 size={15} aria-hidden="true" />{t('tables.open')}</Link>
        <Link {...to} search={{ as: 'form' }}><SquarePen size={15} aria-hidden="true" />{t('tables.form')}</Link>
        {table.moves.length > 0 && <Link {...to} search={{ as: 'board' }}><Kanban size={15} aria-hidden="true" />{t('tables.board')}</Link>}
      </div>
      <section className="mb-8">
        <FieldList entity={table.entity}><h2 className="text-sm font-semibold m-0">{t('tables.fields')}</h2><p className="text-muted m-0">{t('tables.fieldsText')}</p></FieldList>
      </section>
      <Flow table={table} />
      {editing && <TableDialog table={table} onClose={() => setEditing(false)} onDone={() => setEditing(false)} />}
      {dropping && <Confirm title={t('tables.deleteTitle', { name: table.title })} text={t('tables.deleteText')} action={t('delete')} danger onClose={() => setDropping(false)} onConfirm={() => void drop().catch((e) => toast.error(messageOf(e)))} />}
    </Section>
  )
}

/** What is new is called by what it says, or by its place where that is written in other letters. */
const called = (label: string, kind: string, taken: string[]) => {
  const base = keyOf(label) || kind
  for (let n = 1; ; n++) { const name = n === 1 && base !== kind ? base : `${base}_${n}`; if (!taken.includes(name)) return name }
}

function Flow({ table }: { table: OwnTable }) {
  const { t } = useTranslation()
  const [states, setStates] = useState(table.states)
  const [moves, setMoves] = useState(table.moves)
  const changed = JSON.stringify([states, moves]) !== JSON.stringify([table.states, table.moves])
  const { submit, busy, errors, message } = useSubmit(async () => {
    // A new state has no id yet: moves know it by its place until it is saved.
    const ids: string[] = []
    for (const s of states) ids.push(s.id.startsWith('#') ? called(s.label, 'state', [...ids, ...states.map((x) => x.id)]) : s.id)
    const id = (was: string) => ids[states.findIndex((s) => s.id === was)] ?? was
    const actions: string[] = []
    for (const m of moves) actions.push(m.action || called(m.label, 'move', [...actions, ...moves.map((x) => x.action)]))
    const made = await patch<OwnTable>(`/tables/${table.id}`, { states: states.map((s, i) => ({ ...s, id: ids[i] })), moves: moves.map((m, i) => ({ ...m, action: actions[i], source: id(m.source), target: id(m.target) })) })
    setStates(made.states)
    setMoves(made.moves)
    await renew()
    done(t('saved'))
  })
  const state = (i: number, s: Partial<State>) => setStates(states.map((x, j) => (j === i ? { ...x, ...s } : x)))
  const move = (i: number, m: Partial<Move>) => setMoves(moves.map((x, j) => (j === i ? { ...x, ...m } : x)))
  const choice = (label: string, value: string, set: (id: string) => void) => <select className="input max-md:flex-1 max-md:!w-auto min-w-0" aria-label={label} value={value} onChange={(e) => set(e.target.value)}>{states.map((s) => <option key={s.id} value={s.id}>{s.label}</option>)}</select>
  const shut = (name: string, act: () => void) => <button type="button" className="btn ghost icon" aria-label={t('removeNamed', { name })} onClick={act}><X size={14} /></button>
  return (
    <form className="mb-8" noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
      <h2 className="text-sm font-semibold m-0">{t('tables.flow')}</h2><p className="text-muted m-0 mb-4 max-w-[70ch]">{t('tables.flowText')}</p>
      {message && <div className="note bad mb-3" role="alert">{errors.states ?? errors.moves ?? message}</div>}
      {states.length === 0 && <p className="text-muted">{t('tables.noFlow')}</p>}
      <fieldset className="border-0 p-0 m-0 mb-4"><legend className="field-label">{t('tables.states')}</legend>
        {states.map((s, i) => (
          <div key={s.id} className="flex gap-2 mb-1.5 max-w-[480px]">
            <input className="input" aria-label={t('tables.state', { n: i + 1 })} value={s.label} onChange={(e) => state(i, { label: e.target.value })} />
            <select className="input !w-[110px]" aria-label={t('tables.color', { n: i + 1 })} value={s.color ?? 'gray'} onChange={(e) => state(i, { color: e.target.value })}>{COLORS.map((c) => <option key={c} value={c}>{t(`color.${c}`)}</option>)}</select>
            {shut(s.label, () => { setStates(states.filter((_, j) => j !== i)); setMoves(moves.filter((m) => m.source !== s.id && m.target !== s.id)) })}
          </div>
        ))}
        <button type="button" className="btn ghost sm" onClick={() => setStates([...states, { id: `#${Date.now()}`, label: '', color: COLORS[states.length % COLORS.length]! }])}><Plus size={14} />{t('tables.addState')}</button>
      </fieldset>
      {states.length > 1 && (
        <fieldset className="border-0 p-0 m-0 mb-4"><legend className="field-label">{t('tables.moves')}</legend>
          {moves.map((m, i) => (
            <div key={i} className="flex items-center gap-2 mb-1.5 max-w-[640px] max-md:flex-wrap">
              <input className="input max-md:basis-full" aria-label={t('tables.action', { n: i + 1 })} value={m.label} onChange={(e) => move(i, { label: e.target.value })} />
              {choice(t('tables.from', { n: i + 1 }), m.source, (source) => move(i, { source }))}
              <ArrowRight size={15} className="text-muted flex-none" aria-hidden="true" />
              {choice(t('tables.to', { n: i + 1 }), m.target, (target) => move(i, { target }))}
              {shut(m.label, () => setMoves(moves.filter((_, j) => j !== i)))}
            </div>
          ))}
          <button type="button" className="btn ghost sm" onClick={() => { const at = Math.min(moves.length, states.length - 2); setMoves([...moves, { action: '', label: '', source: states[at]!.id, target: states[at + 1]!.id }]) }}><Plus size={14} />{t('tables.addMove')}</button>
        </fieldset>
      )}
      <button type="submit" className="btn primary" disabled={busy || !changed || states.some((s) => !s.label.trim()) || moves.some((m) => !m.label.trim())}>{t('save')}</button>
    </form>
  )
}
