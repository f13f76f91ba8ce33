import { useQuery } from '@tanstack/react-query'
import { Ellipsis, UserPlus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { del, get, messageOf, patch, post } from '@/api/http'
import { membersQuery, usePeople, type Member, type WorkspaceRole } from '@/api/people'
import { fullName, queryClient, useManages, useSession } from '@/api/session'
import { formatDate, useLocale } from '@/lib/format'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Avatar, Chip, Confirm, Dialog, Failure, Labelled, Menu, Skeleton } from '@/ui/basics'
import { Section } from './layout'
import { rolesQuery, type Role } from '@/api/roles'

const COLORS: Record<string, string> = { active: 'green', invited: 'amber', suspended: 'red', left: 'gray' }

export function Members() {
  const { t } = useTranslation()
  const locale = useLocale()
  const { me } = useSession()
  const { data, error, isPending, refetch } = useQuery(membersQuery)
  const { data: roles } = useQuery({ ...rolesQuery, retry: false })
  const { data: workspaces } = useQuery({ ...workspacesQuery, retry: false, enabled: !!data?.some((m) => m.workspace_roles?.length) })
  const people = usePeople()
  const manages = useManages()
  const [inviting, setInviting] = useState(false)
  const [editing, setEditing] = useState<Member | null>(null)
  const [leaving, setLeaving] = useState<Member | null>(null)
  const renew = async () => { await refetch(); void queryClient.invalidateQueries({ queryKey: ['people'] }) }
  const attempt = (p: Promise<unknown>, label: string, back?: () => Promise<void>) => void p.then(async () => { await renew(); done(label, back) }).catch((e) => toast.error(messageOf(e)))
  const status = (m: Member, to: string) => attempt(patch(`/members/${m.id}`, { status: to }), t('members.changed'), async () => { await patch(`/members/${m.id}`, { status: m.status }); await renew() })
  const labelOf = (name: string) => roles?.find((r) => r.name === name)?.label ?? name
  return (
    <Section wide title={t('settings.members')} text={t('members.text')} actions={manages && <button type="button" className="btn primary" onClick={() => setInviting(true)}><UserPlus size={15} />{t('members.invite')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : (
        <table className="data">
          <thead><tr><th scope="col">{t('members.person')}</th><th scope="col">{t('members.roles')}</th><th scope="col">{t('members.status')}</th><th scope="col">{t('members.since')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
          <tbody>{data.map((m) => (
            <tr key={m.id}>
              <td><span className="flex items-center gap-2.5 py-1"><Avatar name={fullName(m)} size={26} src={people.find((x) => x.user === m.user_id)?.picture} /><span><span className="block font-medium leading-tight">{fullName(m)}</span><span className="block text-muted text-xs">{m.email}</span></span></span></td>
              <td><span className="flex gap-1 flex-wrap">{m.roles.map((r) => <Chip key={r} plain option={{ id: r, label: labelOf(r) }} />)}{m.workspace_roles?.map((r) => <Chip key={r.workspace_id + r.role} plain option={{ id: r.role, label: t('members.there', { role: labelOf(r.role), place: workspaces?.find((w) => w.id === r.workspace_id)?.name ?? '…' }), color: 'blue' }} />)}</span></td>
              <td><Chip option={{ id: m.status, label: t(`members.status_${m.status}`, m.status), color: COLORS[m.status] ?? 'gray' }} /></td>
              <td className="text-muted">{formatDate(m.joined_at, locale)}</td>
              <td className="end">{manages && m.user_id !== me?.user.id && <Menu align="end" trigger={<button type="button" className="btn ghost icon sm" aria-label={t('members.menu', { name: fullName(m) })}><Ellipsis size={16} /></button>} items={[
                { label: t('members.editRoles'), onSelect: () => setEditing(m) },
                m.status === 'active' && { label: t('members.suspend'), onSelect: () => status(m, 'suspended') },
                m.status === 'suspended' && { label: t('members.reactivate'), onSelect: () => status(m, 'active') },
                'rule', { label: t('members.remove'), danger: true, onSelect: () => setLeaving(m) },
              ]} />}</td>
            </tr>
          ))}</tbody>
        </table>
      )}
      {inviting && <Invite roles={roles ?? []} onClose={() => setInviting(false)} onDone={async () => { setInviting(false); await renew() }} />}
      {editing && <EditRoles member={editing} roles={roles ?? []} onClose={() => setEditing(null)} onDone={async () => { setEditing(null); await renew() }} />}
      {leaving && <Confirm title={t('members.removeTitle', { name: fullName(leaving) })} text={t('members.removeText')} action={t('members.remove')} danger onClose={() => setLeaving(null)} onConfirm={() => attempt(del(`/members/${leaving.id}`), t('members.removed'))} />}
    </Section>
  )
}

function RolePicker({ roles, value, onChange }: { roles: Role[]; value: string[]; onChange: (v: string[]) => void }) {
  const { t } = useTranslation()
  return (
    <fieldset className="border-0 p-0 m-0"><legend className="field-label">{t('members.roles')}</legend>
      {roles.map((r) => <label key={r.id} className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={value.includes(r.name)} onChange={(e) => onChange(e.target.checked ? [...value, r.name] : value.filter((x) => x !== r.name))} />{r.label || r.name}</label>)}
    </fieldset>
  )
}

function Invite({ roles, onClose, onDone }: { roles: Role[]; onClose: () => void; onDone: () => Promise<void> }) {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const [picked, setPicked] = useState<string[]>([])
  const { submit, busy, errors, message } = useSubmit(async () => { await post('/members/invite', { email, roles: picked }); await onDone(); done(t('members.invited', { email })) })
  return (
    <Dialog title={t('members.invite')} width={460} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !email || picked.length === 0}>{t('members.send')}</button></>}>
      <Labelled label={t('auth.email')} required error={errors.email ?? (message || undefined)} className="mb-4">{(p) => <input {...p} className="input" type="email" autoFocus value={email} onChange={(e) => setEmail(e.target.value)} />}</Labelled>
      <RolePicker roles={roles} value={picked} onChange={setPicked} />
    </Dialog>
  )
}

interface Workspace { id: string; name: string; status: string }
const workspacesQuery = { queryKey: ['workspaces'], queryFn: () => get<{ data: Workspace[] }>('/workspaces').then((r) => r.data) }

/** The roles of the whole company, and besides those in one workspace, each for as long as it is given. */
function EditRoles({ member, roles, onClose, onDone }: { member: Member; roles: Role[]; onClose: () => void; onDone: () => Promise<void> }) {
  const { t } = useTranslation()
  const { data: workspaces } = useQuery({ ...workspacesQuery, retry: false })
  const before = member.workspace_roles ?? []
  const [picked, setPicked] = useState(member.roles)
  const [place, setPlace] = useState(before[0]?.workspace_id ?? '')
  const [there, setThere] = useState<WorkspaceRole[]>(before)
  const { submit, busy, message } = useSubmit(async () => {
    const wanted = place ? there.map((r) => ({ role: r.role, workspace_id: place, ...(r.valid_from ? { valid_from: r.valid_from } : {}), ...(r.valid_to ? { valid_to: r.valid_to } : {}) })) : []
    const moved = JSON.stringify(wanted) !== JSON.stringify(before.map((r) => ({ role: r.role, workspace_id: r.workspace_id, ...(r.valid_from ? { valid_from: r.valid_from } : {}), ...(r.valid_to ? { valid_to: r.valid_to } : {}) })))
    await patch(`/members/${member.id}`, { roles: picked, ...(moved ? { workspace_roles: wanted } : {}) })
    await onDone()
    done(t('members.changed'), async () => { await patch(`/members/${member.id}`, { roles: member.roles, ...(moved ? { workspace_roles: before } : {}) }); await queryClient.invalidateQueries({ queryKey: ['members'] }) })
  })
  const set = (role: string, part: Partial<WorkspaceRole>) => setThere(there.map((r) => (r.role === role ? { ...r, ...part } : r)))
  const open = workspaces?.filter((w) => w.status === 'active' || w.id === place) ?? []
  return (
    <Dialog title={fullName(member)} width={580} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || (picked.length === 0 && (!place || there.length === 0))}>{t('save')}</button></>}>
      {message && <div className="note bad mb-3" role="alert">{message}</div>}
      <RolePicker roles={roles} value={picked} onChange={setPicked} />
      {open.length > 0 && (
        <div className="mt-4 pt-4 border-t border-line">
          <Labelled label={t('members.inWorkspace')}>{(p) => <select {...p} className="input" value={place} onChange={(e) => setPlace(e.target.value)}><option value="">{t('members.noWorkspace')}</option>{open.map((w) => <option key={w.id} value={w.id}>{w.name}</option>)}</select>}</Labelled>
          {place && (
            <fieldset className="border-0 p-0 mx-0 mt-3"><legend className="visually-hidden">{t('members.inWorkspace')}</legend>
              {roles.filter((r) => r.name !== 'owner').map((r) => {
                const own = there.find((x) => x.role === r.name)
                const name = r.label || r.name
                return (
                  <div key={r.id} className="flex items-center gap-3 min-h-9 flex-wrap">
                    <label className="flex items-center gap-2 flex-1 min-w-[160px]"><input type="checkbox" checked={!!own} onChange={(e) => setThere(e.target.checked ? [...there, { role: r.name, workspace_id: place, valid_from: null, valid_to: null }] : there.filter((x) => x.role !== r.name))} />{name}</label>
                    {own && (['valid_from', 'valid_to'] as const).map((end) => <span key={end} className="flex items-center gap-1.5 text-faint text-xs"><span aria-hidden="true">{t(end === 'valid_from' ? 'members.validFrom' : 'members.validTo')}</span><input type="date" className="input !w-[136px] text-fg text-sm" aria-label={t(end === 'valid_from' ? 'members.validFromNamed' : 'members.validToNamed', { name })} value={own[end] ?? ''} onChange={(e) => set(r.name, { [end]: e.target.value || null })} /></span>)}
                  </div>
                )
              })}
            </fieldset>
          )}
        </div>
      )}
    </Dialog>
  )
}
