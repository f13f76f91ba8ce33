import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { del, get, messageOf, post } from '@/api/http'
import { formatAgo, formatDate, useLocale } from '@/lib/format'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { useMenu } from '@/meta/hooks'
import { Confirm, Dialog, Empty, Failure, Labelled, Skeleton } from '@/ui/basics'
import { CopyBox } from './copy'
import { Section } from './layout'

interface Token { id: string; name: string; prefix: string; scopes: string[]; created_at?: string; last_used_at?: string | null; expires_at?: string | null }

export function Tokens() {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['tokens'], queryFn: () => get<{ data: Token[] }>('/auth/tokens').then((r) => r.data) })
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const [dropping, setDropping] = useState<Token | null>(null)
  return (
    <Section title={t('settings.tokens')} text={t('tokens.text')} actions={<button type="button" className="btn primary" onClick={() => setMaking(true)}><Plus size={15} />{t('tokens.new')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : data.length === 0 ? <Empty title={t('tokens.none')} text={t('tokens.noneText')} /> : (
        <table className="data">
          <thead><tr><th scope="col">{t('name')}</th><th scope="col">{t('tokens.prefix')}</th><th scope="col">{t('tokens.scopes')}</th><th scope="col">{t('tokens.used')}</th><th scope="col">{t('tokens.expires')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
          <tbody>{data.map((k) => (
            <tr key={k.id}><td className="font-medium">{k.name}</td><td><code>{k.prefix}…</code></td><td className="text-muted max-w-[260px]"><span className="block truncate" title={k.scopes?.join(', ')}>{k.scopes?.join(', ')}</span></td><td>{k.last_used_at ? formatAgo(k.last_used_at, locale) : t('never')}</td><td>{k.expires_at ? formatDate(k.expires_at, locale) : t('never')}</td>
              <td className="end"><button type="button" className="btn sm danger" onClick={() => setDropping(k)}>{t('tokens.revoke')}</button></td></tr>
          ))}</tbody>
        </table>
      )}
      {making && <NewToken onClose={() => setMaking(false)} onMade={(s) => { setMaking(false); setSecret(s); void refetch() }} />}
      {secret && <Dialog title={t('tokens.made')} width={520} description={t('tokens.once')} onClose={() => setSecret(null)} footer={<button type="button" className="btn primary" onClick={() => setSecret(null)}>{t('security.kept')}</button>}><CopyBox label={t('tokens.token')} value={secret} /></Dialog>}
      {dropping && <Confirm title={t('tokens.revokeTitle', { name: dropping.name })} text={t('tokens.revokeText')} action={t('tokens.revoke')} danger onClose={() => setDropping(null)} onConfirm={() => void del(`/auth/tokens/${dropping.id}`).then(() => { done(t('tokens.revoked')); return refetch() }).catch((e) => toast.error(messageOf(e)))} />}
    </Section>
  )
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const { t } = useTranslation()
  const menu = useMenu()
  const [name, setName] = useState('')
  const [expires, setExpires] = useState('')
  const [everything, setEverything] = useState<'read' | 'write' | 'some'>('read')
  const [picked, setPicked] = useState<Set<string>>(new Set())
  const { submit, busy, errors, message } = useSubmit(async () => {
    const scopes = everything === 'read' ? ['*:read'] : everything === 'write' ? ['*:read', '*:write'] : [...picked]
    const a = await post<{ token: string }>('/auth/tokens', { name, scopes, ...(expires ? { expires_at: new Date(expires + 'T23:59:59').toISOString() } : {}) })
    onMade(a.token)
  })
  const toggle = (s: string) => setPicked((p) => { const n = new Set(p); if (n.has(s)) n.delete(s); else n.add(s); return n })
  return (
    <Dialog title={t('tokens.new')} width={560} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !name.trim() || (everything === 'some' && picked.size === 0)}>{t('create')}</button></>}>
      {message && !errors.name && <div className="note bad mb-3" role="alert">{message}</div>}
      <div className="grid grid-cols-2 gap-4 mb-4">
        <Labelled label={t('name')} required error={errors.name}>{(p) => <input {...p} className="input" autoFocus value={name} onChange={(e) => setName(e.target.value)} />}</Labelled>
        <Labelled label={t('tokens.expires')} error={errors.expires_at}>{(p) => <input {...p} className="input" type="date" value={expires} onChange={(e) => setExpires(e.target.value)} />}</Labelled>
      </div>
      <fieldset className="border-0 p-0 m-0"><legend className="field-label">{t('tokens.scopes')}</legend>
        {(['read', 'write', 'some'] as const).map((x) => <label key={x} className="flex items-center gap-2 h-8"><input type="radio" name="scope" checked={everything === x} onChange={() => setEverything(x)} />{t(`tokens.scope_${x}`)}</label>)}
      </fieldset>
      {everything === 'some' && (
        <table className="data mt-2">
          <thead><tr><th scope="col">{t('roles.entity')}</th><th scope="col">{t('can.read')}</th><th scope="col">{t('can.write')}</th></tr></thead>
          <tbody>{menu.flatMap((m) => m.entities.map((e) => (
            <tr key={e.name}><th scope="row" className="!text-fg">{e.plural}</th>{['read', 'write'].map((a) => <td key={a}><input type="checkbox" aria-label={`${e.plural}: ${t(`can.${a}`)}`} checked={picked.has(`${e.name}:${a}`)} onChange={() => toggle(`${e.name}:${a}`)} /></td>)}</tr>
          )))}</tbody>
        </table>
      )}
    </Dialog>
  )
}
