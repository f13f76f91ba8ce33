import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { patch, post } from '@/api/http'
import { queryClient, useSession } from '@/api/session'
import { changeLanguage, languages } from '@/i18n'
import { ownZone, zones } from '@/lib/places'
import { applyTheme, type Theme } from '@/lib/theme'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Labelled } from '@/ui/basics'
import { LANGUAGE_NAMES } from '@/ui/languages'
import { About } from './about'
import { Section } from './layout'
import { Notifications } from './notifications'

const REGIONS = ['en', 'en-US', 'en-GB', 'ru', 'ru-RU', 'ru-KZ', 'kk-KZ', 'en-DE']

export function Profile() {
  const { t, i18n } = useTranslation()
  const { me } = useSession()
  const u = me!.user
  const [v, setV] = useState({ first_name: u.first_name ?? '', last_name: u.last_name ?? '', locale: u.locale || i18n.language, time_zone: u.time_zone || ownZone(), theme: u.theme || 'system' })
  const { submit, busy, errors, message } = useSubmit(async () => {
    await patch('/me', v)
    applyTheme(v.theme as Theme)
    await changeLanguage(v.locale)
    await queryClient.invalidateQueries()
    done(t('saved'))
  })
  const regions = [...new Set([v.locale, ...languages, ...REGIONS])]
  const nameOf = (tag: string) => { const [l, r] = tag.split('-'); return `${LANGUAGE_NAMES[l!] ?? l}${r ? ` (${new Intl.DisplayNames(i18n.language, { type: 'region' }).of(r)})` : ''}` }
  return (
    <Section title={t('settings.profile')}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }} className="max-w-[520px] space-y-4">
        {message && !Object.keys(errors).length && <div className="note bad" role="alert">{message}</div>}
        <div className="grid grid-cols-2 gap-4">
          <Labelled label={t('auth.firstName')} error={errors.first_name}>{(p) => <input {...p} className="input" autoComplete="given-name" value={v.first_name} onChange={(e) => setV({ ...v, first_name: e.target.value })} />}</Labelled>
          <Labelled label={t('auth.lastName')} error={errors.last_name}>{(p) => <input {...p} className="input" autoComplete="family-name" value={v.last_name} onChange={(e) => setV({ ...v, last_name: e.target.value })} />}</Labelled>
        </div>
        <div className="grid grid-cols-2 gap-4">
          <Labelled label={t('profile.locale')} error={errors.locale} help={t('profile.localeHelp')}>{(p) => <select {...p} className="input" value={v.locale} onChange={(e) => setV({ ...v, locale: e.target.value })}>{regions.map((r) => <option key={r} value={r}>{nameOf(r)}</option>)}</select>}</Labelled>
          <Labelled label={t('timeZone')} error={errors.time_zone}>{(p) => <select {...p} className="input" value={v.time_zone} onChange={(e) => setV({ ...v, time_zone: e.target.value })}>{zones().map((z) => <option key={z} value={z}>{z.replaceAll('_', ' ')}</option>)}</select>}</Labelled>
        </div>
        <fieldset className="border-0 p-0 mx-0 mt-0"><legend className="field-label">{t('theme.title')}</legend>
          <div className="flex gap-4">{(['light', 'dark', 'system'] as const).map((x) => <label key={x} className="flex items-center gap-2 h-8"><input type="radio" name="theme" checked={v.theme === x} onChange={() => setV({ ...v, theme: x })} />{t(`theme.${x}`)}</label>)}</div>
        </fieldset>
        <button type="submit" className="btn primary" disabled={busy}>{t('save')}</button>
      </form>
      <About />
      <Notifications />
      <EmailChange email={u.email} />
    </Section>
  )
}

function EmailChange({ email }: { email: string }) {
  const { t } = useTranslation()
  const [fresh, setFresh] = useState('')
  const [password, setPassword] = useState('')
  const [sent, setSent] = useState(false)
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/auth/email', { email: fresh, password })
    setSent(true); setPassword('')
  })
  return (
    <form noValidate className="max-w-[520px] mt-8 pt-5 border-t border-line space-y-4" onSubmit={(e) => { e.preventDefault(); void submit() }}>
      <h2 className="text-base font-semibold">{t('profile.email')}</h2>
      <p className="text-muted -mt-2">{sent ? t('profile.emailSent', { email: fresh }) : t('profile.emailNow', { email })}</p>
      {message && !Object.keys(errors).length && <div className="note bad" role="alert">{message}</div>}
      {!sent && <>
        <div className="grid grid-cols-2 gap-4">
          <Labelled label={t('profile.newEmail')} error={errors.email}>{(p) => <input {...p} className="input" type="email" autoComplete="email" value={fresh} onChange={(e) => setFresh(e.target.value)} />}</Labelled>
          <Labelled label={t('auth.password')} error={errors.password}>{(p) => <input {...p} className="input" type="password" autoComplete="current-password" value={password} onChange={(e) => setPassword(e.target.value)} />}</Labelled>
        </div>
      <button type="submit" className="btn" disabled={busy || !fresh}>{t('profile.changeEmail')}</button></>}
    </form>
  )
}
