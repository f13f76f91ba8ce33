import { useQuery } from '@tanstack/react-query'
import { Link2, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyBox } from '@/admin/copy'
import { del, get, messageOf, patch, post } from '@/api/http'
import { formatDate, formatInstant, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Dialog, Failure, Labelled, Skeleton } from '@/ui/basics'
import type { SavedView } from './state'

interface Share { id: string; mine: boolean; created_at: string; expires_at: string | null; has_password: boolean }

/** The links that show a view to people who do not work here: made, and taken back. */
export default function ShareDialog({ view, onClose, onChanged }: { view: SavedView; onClose: () => void; onChanged: () => Promise<unknown> }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['shares', view.id], queryFn: () => get<{ data: Share[] }>('/shares', { view_id: view.id }).then((r) => r.data) })
  const [expires, setExpires] = useState('')
  const [password, setPassword] = useState('')
  const [made, setMade] = useState<string | null>(null)
  const open = view.visibility !== 'private' && !view.locked
  const { submit, busy, errors, message } = useSubmit(async () => {
    const a = await post<{ token: string }>('/shares', { view_id: view.id, ...(expires ? { expires_at: new Date(expires + 'T23:59:59').toISOString() } : {}), ...(password ? { password } : {}) })
    setMade(`${location.origin}/s/${a.token}`)
    setExpires(''); setPassword('')
    await refetch()
  })
  const lock = async () => {
    try { await patch(`/views/${view.id}`, { locked: true }); await onChanged() } catch (e) { toast.error(messageOf(e)) }
  }
  const takeBack = async (share: Share) => {
    try { await del(`/shares/${share.id}`); setMade(null); await refetch(); done(t('share.revoked')) } catch (e) { toast.error(messageOf(e)) }
  }
  const words = (s: Share) => [s.expires_at ? t('share.until', { when: formatDate(s.expires_at, locale) }) : t('share.noEnd'), s.has_password && t('share.withPassword'), !s.mine && t('share.others')].filter(Boolean).join(' · ')
  return (
    <Dialog title={t('share.title', { name: view.name })} description={t('share.text')} width={520} onClose={onClose} onSubmit={() => void submit()} footer={<>
      <button type="button" className="btn" onClick={onClose}>{t('close')}</button>
      {view.mine && !open && <button type="submit" className="btn primary" disabled={busy}><Link2 size={15} />{t('share.make')}</button>}</>}>
      {message && !Object.keys(errors).some((k) => k !== 'view_id') && <div className="note bad mb-3" role="alert">{message}</div>}
      {view.mine === false ? <div className="note mb-3">{t('share.notOwn')}</div>
        : open ? <div className="note mb-3 flex items-center gap-3"><span className="flex-1">{t('share.mustLock')}</span><button type="button" className="btn" onClick={() => void lock()}>{t('share.lockIt')}</button></div>
        : (
          <div className="grid grid-cols-2 max-md:grid-cols-1 gap-4 mb-4">
            <Labelled label={t('share.expires')} error={errors.expires_at}>{(p) => <input {...p} className="input" type="date" value={expires} onChange={(e) => setExpires(e.target.value)} />}</Labelled>
            <Labelled label={t('share.password')} error={errors.password} help={t('share.passwordHelp')}>{(p) => <input {...p} className="input" type="text" autoComplete="off" spellCheck={false} value={password} onChange={(e) => setPassword(e.target.value)} />}</Labelled>
          </div>
        )}
      {made && <div className="note good mb-4" role="status"><p className="m-0 mb-2">{t('share.once')}</p><CopyBox label={t('share.made')} value={made} /></div>}
      <h3 className="field-label m-0 mb-1">{t('share.links')}</h3>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton rows={2} /> : data.length === 0 ? <p className="text-muted m-0">{t('share.none')}</p> : (
        <ul className="list-none m-0 p-0">{data.map((s) => (
          <li key={s.id} className="flex items-center gap-2 py-1.5 border-b border-line">
            <Link2 size={14} className="text-muted" aria-hidden="true" />
            <span className="flex-1 min-w-0"><span className="block">{formatInstant(s.created_at, locale)}</span><span className="block text-muted text-xs">{words(s)}</span></span>
            <button type="button" className="btn sm danger" aria-label={t('share.revokeNamed', { when: formatInstant(s.created_at, locale) })} onClick={() => void takeBack(s)}><Trash2 size={13} aria-hidden="true" />{t('share.revoke')}</button>
          </li>
        ))}</ul>
      )}
    </Dialog>
  )
}
