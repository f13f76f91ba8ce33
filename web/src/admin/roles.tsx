import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { ChevronRight, Eye, Lock, Plus } from 'lucide-react'
import { Fragment, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { del, messageOf, patch, post } from '@/api/http'
import { rolesQuery, type Role, type Scope } from '@/api/roles'
import { queryClient, useManages } from '@/api/session'
import { viewAs } from '@/app/viewing'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { useEntity, useMenu, visibleFields } from '@/meta/hooks'
import { Confirm, Dialog, Failure, Labelled, Menu, Skeleton } from '@/ui/basics'
import { Section } from './layout'
import { workspacesQuery } from './workspaces'

const ACTIONS = ['read', 'create', 'update', 'delete', 'export', 'import'] as const
/** What nobody said follows from another right: to hand out is to read, to bring in is to create. */
const IMPLIED: Partial<Record<string, string>> = { export: 'read', import: 'create' }
const SCOPES: Scope[] = ['none', 'own', 'team', 'workspace', 'all']
/** Creating, exporting and importing is allowed or not; the rest has a reach. */
const scopesOf = (action: string): Scope[] => (['create', 'import', 'export'].includes(action) ? ['none', 'all'] : SCOPES)

export function Roles() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { role: id } = useSearch({ from: '/house/settings/roles' })
  const { data, error, isPending, refetch } = useQuery(rolesQuery)
  const [making, setMaking] = useState(false)
  const manages = useManages()
  const role = data?.find((r) => r.id === id) ?? data?.[0]
  return (
    <Section wide title={t('settings.roles')} text={t('roles.text')} actions={manages && <button type="button" className="btn primary" onClick={() => setMaking(true)}><Plus size={15} />{t('roles.new')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending || !role ? <Skeleton /> : (
        <div className="flex gap-4 max-lg:flex-col">
          <div className="w-[148px] flex-none max-lg:w-full" role="group" aria-label={t('settings.roles')}>
            {data.map((r) => <button key={r.id} type="button" className={clsx('item', r.id === role.id && 'bg-hover font-medium')} aria-pressed={r.id === role.id} onClick={() => void navigate({ to: '/settings/roles', search: { role: r.id } })}><span className="flex-1 truncate">{r.label || r.name}</span>{r.is_system && <Lock size={12} className="text-faint" aria-label={t('roles.system')} />}</button>)}
          </div>
          <div className="flex-1 min-w-0"><Matrix key={role.id} role={role} onGone={() => { void refetch(); void navigate({ to: '/settings/roles', search: {} }) }} /></div>
        </div>
      )}
      {making && data && <NewRole roles={data} onClose={() => setMaking(false)} onMade={(r) => { setMaking(false); void refetch().then(() => navigate({ to: '/settings/roles', search: { role: r.id } })) }} />}
    </Section>
  )
}

function Matrix({ role, onGone }: { role: Role; onGone: () => void }) {
  const { t } = useTranslation()
  const menu = useMenu()
  const [grants, setGrants] = useState(role.grants ?? {})
  const [fields, setFields] = useState(role.fields ?? {})
  const [open, setOpen] = useState<string | null>(null)
  const [dropping, setDropping] = useState(false)
  const [q, setQ] = useState('')
  useEffect(() => { setGrants(role.grants ?? {}); setFields(role.fields ?? {}) }, [role])
  const dirty = useMemo(() => JSON.stringify([grants, fields]) !== JSON.stringify([role.grants ?? {}, role.fields ?? {}]), [grants, fields, role])
  const every = grants['*']
  const everything = every && Object.fromEntries(ACTIONS.map((a) => [a, every[a] ?? every['*'] ?? 'none'])) as Partial<Record<string, Scope>> | undefined
  const manages = useManages()
  const owner = role.is_system && role.name === 'owner'
  const locked = owner || !manages
  const { submit, busy, message } = useSubmit(async () => {
    const before = { grants: role.grants, fields: role.fields }
    await patch(`/roles/${role.id}`, { grants, fields })
    await queryClient.invalidateQueries({ queryKey: ['roles'] })
    done(t('saved'), async () => { await patch(`/roles/${role.id}`, before); await queryClient.invalidateQueries({ queryKey: ['roles'] }) })
  })
  const set = (entity: string, action: string, scope: Scope) => setGrants((g) => ({ ...g, [entity]: { ...g[entity], [action]: scope } }))
  const groups = menu.map((m) => ({ ...m, entities: m.entities.filter((e) => `${e.plural} ${m.title}`.toLowerCase().includes(q.toLowerCase())) })).filter((m) => m.entities.length)
  return (
    <>
      <div className="flex items-center gap-2 mb-2 flex-wrap">
        <h2 className="text-base font-semibold m-0 flex-1">{role.label || role.name}</h2>
        <input className="input !w-[200px]" type="search" aria-label={t('roles.find')} placeholder={t('roles.find')} value={q} onChange={(e) => setQ(e.target.value)} />
        {manages && <ViewAs role={role} />}
        {!role.is_system && manages && <button type="button" className="btn danger" onClick={() => setDropping(true)}>{t('delete')}</button>}
      </div>
      {message && <div className="note bad mb-2" role="alert">{message}</div>}
      {owner && <div className="note mb-2">{t('roles.owner')}</div>}
      {everything && !owner && <div className="note mb-2">{t('roles.everything')}</div>}
      <div className="overflow-x-auto">
        <table className="data" style={{ minWidth: 700 }}>
          <thead><tr><th scope="col">{t('roles.entity')}</th>{ACTIONS.map((a) => <th key={a} scope="col" style={{ paddingInline: 6 }}>{t(`can.${a}`)}</th>)}</tr></thead>
          <tbody>
            {groups.map((m) => (
              <Fragment key={m.name}>
                <tr><th colSpan={ACTIONS.length + 1} scope="colgroup" className="!text-2xs !font-semibold !text-faint" style={{ paddingBlockStart: 12 }}>{m.title}</th></tr>
                {m.entities.map((e) => (
                  <Fragment key={e.name}>
                    <tr>
                      <th scope="row" className="!text-fg !text-sm"><button type="button" className="border-0 bg-transparent p-0 flex items-center gap-1 min-h-6" aria-expanded={open === e.name} onClick={() => setOpen(open === e.name ? null : e.name)}><ChevronRight size={13} style={{ transform: open === e.name ? 'rotate(90deg)' : undefined }} aria-hidden="true" />{e.plural}</button></th>
                      {ACTIONS.map((a) => {
                        const value = grants[e.name]?.[a] ?? grants[e.name]?.[IMPLIED[a] ?? ''] ?? everything?.[a] ?? 'none'
                        return (
                          <td key={a} style={{ paddingBlock: 2, paddingInline: 3 }}>
                            <select className="input" style={{ height: 28, minWidth: 78, paddingInline: 5, ...(value === 'none' ? { color: 'var(--faint)' } : {}) }} disabled={locked} aria-label={`${e.plural}: ${t(`can.${a}`)}`} value={value} onChange={(x) => set(e.name, a, x.target.value as Scope)}>
                              {[...new Set([...scopesOf(a), value])].map((s) => <option key={s} value={s}>{scopesOf(a).length === 2 && s === 'all' ? t('yes') : scopesOf(a).length === 2 && s === 'none' ? t('no') : t(`scope.${s}`)}</option>)}
                            </select>
                          </td>
                        )
                      })}
                    </tr>
                    {open === e.name && <tr><td colSpan={ACTIONS.length + 1}><OtherActions entity={e.name} locked={locked} value={grants[e.name] ?? {}} fallback={{ ...(every?.['*'] ? { '*': every['*'] } : {}), ...every }} onChange={(a, s) => set(e.name, a, s)} /><FieldRights entity={e.name} locked={locked} value={fields[e.name] ?? {}} onChange={(v) => setFields((f) => { const next = { ...f, [e.name]: v }; if (!Object.keys(v).length) delete next[e.name]; return next })} /></td></tr>}
                  </Fragment>
                ))}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
      {dirty && (
        <div className="sticky bottom-3 mt-3 pop flex items-center gap-2 px-3 py-2" role="region" aria-label={t('record.unsaved')}>
          <span className="flex-1 text-muted">{t('record.unsaved')}</span>
          <button type="button" className="btn" onClick={() => { setGrants(role.grants ?? {}); setFields(role.fields ?? {}) }}>{t('discard')}</button>
          <button type="button" className="btn primary" disabled={busy} onClick={() => void submit()}>{t('save')}</button>
        </div>
      )}
      {dropping && <Confirm title={t('roles.deleteTitle', { name: role.label || role.name })} text={t('roles.deleteText')} action={t('delete')} danger onClose={() => setDropping(false)} onConfirm={() => void del(`/roles/${role.id}`).then(() => { done(t('roles.deleted')); onGone() }).catch((e) => toast.error(messageOf(e)))} />}
    </>
  )
}

/** In the whole company, or in one of its workspaces where there is more than the main one. */
function ViewAs({ role }: { role: Role }) {
  const { t } = useTranslation()
  const { data } = useQuery(workspacesQuery)
  const button = <button type="button" className="btn max-md:!h-11"><Eye size={15} />{t('viewAs.start')}</button>
  const places = role.name === 'owner' || role.name === 'admin' ? [] : (data ?? []).filter((w) => w.status !== 'archived')
  return <Menu trigger={button} width={220} items={[{ label: t('viewAs.whole'), onSelect: () => void viewAs(role.id) }, ...places.map((w) => ({ label: t('viewAs.in', { workspace: w.name }), onSelect: () => void viewAs(role.id, w.id) }))]} />
}

function OtherActions({ entity, value, fallback, onChange, locked }: { entity: string; value: Partial<Record<string, Scope>>; fallback: Partial<Record<string, Scope>>; onChange: (action: string, s: Scope) => void; locked: boolean }) {
  const { t } = useTranslation()
  const { data } = useEntity(entity)
  if (!data?.actions.length) return null
  return (
    <div className="py-2">
      <div className="field-label mb-2">{t('roles.others')}</div>
      <div className="grid gap-x-6 gap-y-1.5" style={{ gridTemplateColumns: 'repeat(auto-fill,minmax(240px,1fr))' }}>
        {data.actions.map((a) => (
          <label key={a.name} className="flex items-center gap-2"><span className="flex-1 truncate">{a.label}</span>
            <select className="input" style={{ height: 26, width: 110 }} disabled={locked} value={value[a.name] ?? fallback[a.name] ?? fallback['*'] ?? 'none'} onChange={(e) => onChange(a.name, e.target.value as Scope)}>{SCOPES.map((s) => <option key={s} value={s}>{t(`scope.${s}`)}</option>)}</select></label>
        ))}
      </div>
    </div>
  )
}

function FieldRights({ entity, value, onChange, locked }: { entity: string; value: Record<string, 'none' | 'read' | 'write'>; onChange: (v: Record<string, 'none' | 'read' | 'write'>) => void; locked: boolean }) {
  const { t } = useTranslation()
  const { data, error } = useEntity(entity)
  if (error) return <span className="text-muted">{messageOf(error)}</span>
  if (!data) return <Skeleton rows={2} />
  return (
    <div className="py-2">
      <div className="field-label mb-2">{t('roles.fields')}</div>
      <div className="grid gap-x-6 gap-y-1.5" style={{ gridTemplateColumns: 'repeat(auto-fill,minmax(240px,1fr))' }}>
        {visibleFields(data).map((f) => (
          <label key={f.name} className="flex items-center gap-2"><span className="flex-1 truncate">{f.label}</span>
            <select className="input" style={{ height: 26, width: 110 }} disabled={locked} value={value[f.name] ?? 'write'} onChange={(e) => { const next = { ...value }; const v = e.target.value as 'none' | 'read' | 'write'; if (v === 'write') delete next[f.name]; else next[f.name] = v; onChange(next) }}>
              {(['write', 'read', 'none'] as const).map((x) => <option key={x} value={x}>{t(`fieldRight.${x}`)}</option>)}
            </select></label>
        ))}
      </div>
    </div>
  )
}

function NewRole({ roles, onClose, onMade }: { roles: Role[]; onClose: () => void; onMade: (r: Role) => void }) {
  const { t } = useTranslation()
  const [label, setLabel] = useState('')
  const [like, setLike] = useState('')
  const { submit, busy, errors, message } = useSubmit(async () => {
    const model = roles.find((r) => r.id === like)
    const name = label.trim().toLowerCase().normalize('NFKD').replace(/[^\p{L}\p{N}]+/gu, '_').replace(/^_|_$/g, '')
    onMade(await post<Role>('/roles', { name, label: label.trim(), grants: model?.grants ?? {}, fields: model?.fields ?? {} }))
    done(t('created', { name: t('roles.role') }))
  })
  return (
    <Dialog title={t('roles.new')} width={440} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !label.trim()}>{t('create')}</button></>}>
      <Labelled label={t('name')} required error={errors.label ?? errors.name ?? (message || undefined)} className="mb-4">{(p) => <input {...p} className="input" autoFocus value={label} onChange={(e) => setLabel(e.target.value)} />}</Labelled>
      <Labelled label={t('roles.like')}>{(p) => <select {...p} className="input" value={like} onChange={(e) => setLike(e.target.value)}><option value="">{t('roles.empty')}</option>{roles.map((r) => <option key={r.id} value={r.id}>{r.label || r.name}</option>)}</select>}</Labelled>
    </Dialog>
  )
}
