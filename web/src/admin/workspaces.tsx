import { useQuery } from '@tanstack/react-query'
import { Ellipsis, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { get, messageOf, patch, post } from '@/api/http'
import { useManages, useSession } from '@/api/session'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Chip, Dialog, Failure, Labelled, Menu, Skeleton } from '@/ui/basics'
import { Section } from './layout'

export interface Workspace { id: string; name: string; kind: string; status: string }
const KINDS = ['division', 'branch', 'project'] as const

export const workspacesQuery = { queryKey: ['workspaces'], queryFn: () => get<{ data: Workspace[] }>('/workspaces').then((r) => r.data) }

export function Workspaces() {
  const { t } = useTranslation()
  const manages = useManages()
  const { me } = useSession()
  const { data, error, isPending, refetch } = useQuery(workspacesQuery)
  const [editing, setEditing] = useState<Workspace | 'new' | null>(null)
  const set = async (w: Workspace, status: string) => {
    try {
      await patch(`/workspaces/${w.id}`, { status })
      await refetch()
      done(t('changed', { field: w.name }), async () => { await patch(`/workspaces/${w.id}`, { status: w.status }); await refetch() })
    } catch (e) { toast.error(messageOf(e), { duration: 9000 }) }
  }
  return (
    <Section title={t('settings.workspaces')} text={t('workspaces.text')} actions={manages && <button type="button" className="btn primary" onClick={() => setEditing('new')}><Plus size={15} />{t('workspaces.new')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : (
        <table className="data">
          <thead><tr><th scope="col">{t('name')}</th><th scope="col">{t('workspaces.kind')}</th><th scope="col">{t('members.status')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
          <tbody>{data.map((w) => (
            <tr key={w.id}>
              <td><span className="font-medium">{w.name}</span>{w.id === me?.workspace?.id && <span className="text-muted text-xs ms-2">{t('workspaces.here')}</span>}</td>
              <td>{t(`workspaces.kind_${w.kind}`, { defaultValue: w.kind })}</td>
              <td><Chip option={{ id: w.status, label: t(`workspaces.status_${w.status}`, { defaultValue: w.status }), color: w.status === 'active' ? 'green' : 'gray' }} /></td>
              <td className="end">{manages && <Menu align="end" trigger={<button type="button" className="btn ghost icon sm" aria-label={t('members.menu', { name: w.name })}><Ellipsis size={16} /></button>} items={[
                { label: t('edit'), onSelect: () => setEditing(w) },
                w.kind !== 'main' && { label: w.status === 'active' ? t('workspaces.close') : t('workspaces.reopen'), onSelect: () => void set(w, w.status === 'active' ? 'archived' : 'active') },
              ]} />}</td>
            </tr>
          ))}</tbody>
        </table>
      )}
      {editing && <Edit workspace={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onDone={() => void refetch()} />}
    </Section>
  )
}

function Edit({ workspace, onClose, onDone }: { workspace: Workspace | null; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation()
  const [name, setName] = useState(workspace?.name ?? '')
  const [kind, setKind] = useState(workspace?.kind ?? 'division')
  const { submit, busy, errors, message } = useSubmit(async () => {
    // There is one main workspace, and it stays that.
    const body = { name, ...(kind === 'main' ? {} : { kind }) }
    await (workspace ? patch(`/workspaces/${workspace.id}`, body) : post('/workspaces', body))
    done(workspace ? t('saved') : t('created', { name }))
    onDone(); onClose()
  })
  return (
    <Dialog title={workspace ? t('editNamed', { name: workspace.name }) : t('workspaces.new')} width={420} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !name.trim()}>{workspace ? t('save') : t('create')}</button></>}>
      {message && !Object.keys(errors).length && <div className="note bad mb-3" role="alert">{message}</div>}
      <Labelled label={t('name')} required error={errors.name} className="mb-4">{(p) => <input {...p} className="input" autoFocus maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />}</Labelled>
      {kind !== 'main' && <Labelled label={t('workspaces.kind')} error={errors.kind}>{(p) => <select {...p} className="input" value={kind} onChange={(e) => setKind(e.target.value)}>{KINDS.map((k) => <option key={k} value={k}>{t(`workspaces.kind_${k}`)}</option>)}</select>}</Labelled>}
    </Dialog>
  )
}
