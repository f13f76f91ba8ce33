import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { del, get, messageOf, post } from '@/api/http'
import { queryClient, useSession } from '@/api/session'
import { formatAgo, formatInstant, useLocale } from '@/lib/format'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Dialog, Failure, Labelled, Skeleton } from '@/ui/basics'
import { CopyBox } from './copy'
import { Section } from './layout'

export function Security() {
  const { t } = useTranslation()
  return (
    <Section title={t('settings.security')}>
      <Password />
      <SecondFactor />
    </Section>
  )
}

function Password() {
  const { t } = useTranslation()
  const [v, setV] = useState({ current_password: '', new_password: '' })
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/auth/password', v)
    setV({ current_password: '', new_password: '' })
    void queryClient.invalidateQueries({ queryKey: ['sessions'] })
    done(t('security.changed'))
  })
  return (
    <form noValidate className="max-w-[520px] space-y-4" onSubmit={(e) => { e.preventDefault(); void submit() }}>
      <h2 className="text-base font-semibold">{t('auth.password')}</h2>
      <p className="text-muted -mt-2">{t('security.passwordText')}</p>
      {message && !Object.keys(errors).length && <div className="note bad" role="alert">{message}</div>}
      <div className="grid grid-cols-2 gap-4">
        <Labelled label={t('security.current')} error={errors.current_password}>{(p) => <input {...p} className="input" type="password" autoComplete="current-password" value={v.current_password} onChange={(e) => setV({ ...v, current_password: e.target.value })} />}</Labelled>
        <Labelled label={t('auth.newPassword')} error={errors.new_password}>{(p) => <input {...p} className="input" type="password" autoComplete="new-password" value={v.new_password} onChange={(e) => setV({ ...v, new_password: e.target.value })} />}</Labelled>
      </div>
      <button type="submit" className="btn" disabled={busy || !v.current_password || !v.new_password}>{t('security.change')}</button>
    </form>
  )
}

function SecondFactor() {
  const { t } = useTranslation()
  const { me } = useSession()
  const on = me!.user.totp_enabled
  const [setup, setSetup] = useState<{ secret: string; uri: string } | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const [code, setCode] = useState('')
  const [leaving, setLeaving] = useState(false)
  const [password, setPassword] = useState('')
  const renew = () => queryClient.invalidateQueries({ queryKey: ['me'] })
  const enable = useSubmit(async () => {
    const a = await post<{ recovery_codes: string[] }>('/auth/totp/enable', { code: code.replace(/\s/g, '') })
    setSetup(null); setCode(''); setCodes(a.recovery_codes ?? [])
    await renew()
  })
  const disable = useSubmit(async () => {
    await post('/auth/totp/disable', { password })
    setLeaving(false); setPassword('')
    await renew()
    done(t('security.factorOff'))
  })
  return (
    <section className="max-w-[520px] mt-8 pt-5 border-t border-line space-y-3">
      <h2 className="text-base font-semibold">{t('security.factor')}</h2>
      <p className="text-muted -mt-2">{on ? t('security.factorOn') : t('security.factorText')}</p>
      {!on && !setup && <button type="button" className="btn" onClick={() => void post<{ secret: string; uri: string }>('/auth/totp').then(setSetup, (e) => toast.error(messageOf(e)))}>{t('security.setUp')}</button>}
      {on && <button type="button" className="btn danger" onClick={() => setLeaving(true)}>{t('security.turnOff')}</button>}
      {setup && (
        <form noValidate className="space-y-3 note" onSubmit={(e) => { e.preventDefault(); void enable.submit() }}>
          <p>{t('security.scan')}</p>
          <CopyBox label={t('security.secret')} value={setup.secret} />
          <CopyBox label={t('security.uri')} value={setup.uri} />
          <Labelled label={t('auth.oneTimeCode')} error={enable.errors.code ?? (enable.message || undefined)}>{(p) => <input {...p} className="input num" inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(e) => setCode(e.target.value)} />}</Labelled>
          <div className="flex gap-2"><button type="submit" className="btn primary" disabled={enable.busy || code.length < 6}>{t('security.enable')}</button><button type="button" className="btn" onClick={() => setSetup(null)}>{t('cancel')}</button></div>
        </form>
      )}
      {codes && (
        <Dialog title={t('security.codes')} width={440} description={t('security.codesText')} onClose={() => setCodes(null)} footer={<button type="button" className="btn primary" onClick={() => setCodes(null)}>{t('security.kept')}</button>}>
          <CopyBox label={t('security.codes')} value={codes.join('\n')} />
        </Dialog>
      )}
      {leaving && (
        <Dialog title={t('security.turnOff')} width={420} onClose={() => setLeaving(false)} onSubmit={() => void disable.submit()} footer={<><button type="button" className="btn" onClick={() => setLeaving(false)}>{t('cancel')}</button><button type="submit" className="btn danger" disabled={disable.busy}>{t('security.turnOff')}</button></>}>
          <Labelled label={t('auth.password')} error={disable.errors.password ?? (disable.message || undefined)}>{(p) => <input {...p} className="input" type="password" autoComplete="current-password" value={password} onChange={(e) => setPassword(e.target.value)} />}</Labelled>
        </Dialog>
      )}
    </section>
  )
}

interface SessionRow { id: string; current: boolean; ip: string | null; user_agent: string | null; created_at: string; last_seen_at: string; expires_at: string }
const deviceOf = (ua: string | null): string => {
  const s = ua ?? ''
  const browser = /Edg\//.test(s) ? 'Edge' : /Firefox\//.test(s) ? 'Firefox' : /Chrom(e|ium)\//.test(s) ? 'Chrome' : /Safari\//.test(s) ? 'Safari' : s.split('/')[0] || '?'
  const system = /iPhone|iPad/.test(s) ? 'iOS' : /Android/.test(s) ? 'Android' : /Mac OS/.test(s) ? 'macOS' : /Windows/.test(s) ? 'Windows' : /Linux|X11/.test(s) ? 'Linux' : ''
  return [browser, system].filter(Boolean).join(' · ')
}

export function Sessions() {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['sessions'], queryFn: () => get<{ data: SessionRow[] }>('/auth/sessions').then((r) => r.data) })
  const end = (id?: string) => void del(id ? `/auth/sessions/${id}` : '/auth/sessions').then(() => { done(t('sessions.ended')); return refetch() }).catch((e) => toast.error(messageOf(e)))
  return (
    <Section title={t('settings.sessions')} text={t('sessions.text')} actions={<button type="button" className="btn" onClick={() => end()}>{t('sessions.endOthers')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : (
        <table className="data">
          <thead><tr><th scope="col">{t('sessions.device')}</th><th scope="col">IP</th><th scope="col">{t('sessions.seen')}</th><th scope="col">{t('sessions.since')}</th><th scope="col"><span className="visually-hidden">{t('actions')}</span></th></tr></thead>
          <tbody>{data.map((s) => (
            <tr key={s.id}><td title={s.user_agent ?? ''}>{deviceOf(s.user_agent)} {s.current && <span className="chip green ms-1">{t('sessions.current')}</span>}</td><td className="num">{s.ip}</td><td title={formatInstant(s.last_seen_at, locale)}>{formatAgo(s.last_seen_at, locale)}</td><td>{formatInstant(s.created_at, locale)}</td>
              <td className="end">{!s.current && <button type="button" className="btn sm" onClick={() => end(s.id)}>{t('sessions.end')}</button>}</td></tr>
          ))}</tbody>
        </table>
      )}
    </Section>
  )
}
