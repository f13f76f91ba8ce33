import { Link, useNavigate, useRouter, useSearch } from '@tanstack/react-router'
import { Languages, Moon, Sun } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { toast } from '@/lib/toast'
import { messageOf, patch, post, Problem } from '@/api/http'
import { queryClient, renewSession, useSession } from '@/api/session'
import { changeLanguage, languages } from '@/i18n'
import { countries, currencies, currencyOfCountry, ownCountry, ownZone, zones } from '@/lib/places'
import { applyTheme } from '@/lib/theme'
import { useSubmit } from '@/lib/useForm'
import { Labelled } from '@/ui/basics'
import { LANGUAGE_NAMES } from '@/ui/languages'

export function Frame({ title, text, children, footer, width = 380 }: { title: string; text?: ReactNode; children: ReactNode; footer?: ReactNode; width?: number }) {
  const { t, i18n } = useTranslation()
  const [dark, setDark] = useState(document.documentElement.dataset.theme === 'dark')
  useEffect(() => { document.title = `${title} · Fondaco` }, [title])
  return (
    <div className="min-h-full flex flex-col">
      <main className="flex-1 flex flex-col items-center justify-center px-4 py-10">
        <div className="w-full" style={{ maxWidth: width }}>
          <div className="flex items-center gap-2.5 mb-6 justify-center">
            <img src="/favicon.svg" width={30} height={30} alt="" />
            <span className="text-lg font-semibold">Fondaco</span>
          </div>
          <div className="sheet p-7">
            <h1 className="text-xl font-semibold m-0 mb-1">{title}</h1>
            {text && <div className="text-muted mb-4">{text}</div>}
            <div className="mt-4">{children}</div>
          </div>
          {footer && <div className="text-center text-muted mt-4 [&_.link]:underline">{footer}</div>}
        </div>
      </main>
      <footer className="flex justify-center items-center gap-2 pb-5">
        <label className="flex items-center gap-1.5 text-muted"><Languages size={14} aria-hidden="true" /><span className="visually-hidden">{t('language')}</span>
          <select className="border-0 bg-transparent text-muted h-7" value={i18n.language} onChange={(e) => void changeLanguage(e.target.value)}>{languages.map((l) => <option key={l} value={l}>{LANGUAGE_NAMES[l] ?? l}</option>)}</select>
        </label>
        <button type="button" className="btn ghost icon sm" aria-label={dark ? t('theme.light') : t('theme.dark')} onClick={() => { applyTheme(dark ? 'light' : 'dark'); setDark(!dark) }}>{dark ? <Sun size={14} /> : <Moon size={14} />}</button>
      </footer>
    </div>
  )
}

/** Until people say otherwise, the time they see is the time where they are. */
async function ownClock(now: string | null | undefined): Promise<void> {
  if (!now || now === 'UTC') await patch('/me', { time_zone: ownZone() })
}

function Message({ text }: { text: string }) {
  return text ? <div className="note bad mb-4" role="alert">{text}</div> : null
}

function Submit({ busy, children }: { busy: boolean; children: ReactNode }) {
  return <button type="submit" className="btn primary w-full mt-2" style={{ height: 34 }} aria-busy={busy} disabled={busy}>{children}</button>
}

function TextField({ name, label, value, onChange, error, type = 'text', autoComplete, help, autoFocus, required = true, inputMode }: {
  name: string; label: string; value: string; onChange: (v: string) => void; error?: string | undefined; type?: string; autoComplete?: string; help?: string; autoFocus?: boolean; required?: boolean; inputMode?: 'numeric'
}) {
  return (
    <Labelled label={label} error={error} help={help} className="mb-3">
      {(p) => <input {...p} className="input" name={name} type={type} inputMode={inputMode} autoComplete={autoComplete} autoFocus={autoFocus} required={required} value={value} onChange={(e) => onChange(e.target.value)} />}
    </Labelled>
  )
}

function useEnter() {
  const router = useRouter()
  return async (next?: string) => {
    const me = await renewSession()
    await router.invalidate()
    if (me && !me.organization) await router.navigate({ to: '/onboarding', search: {} })
    else if (next) router.history.push(next)
    else await router.navigate({ to: '/' })
  }
}

export function Login() {
  const { t } = useTranslation()
  const search = useSearch({ from: '/login' })
  const [email, setEmail] = useState(search.email ?? '')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [second, setSecond] = useState(false)
  const enter = useEnter()
  const { submit, busy, errors, message } = useSubmit(async () => {
    try {
      await post('/auth/login', { email, password, ...(second ? { code: code.replace(/\s/g, '') } : {}) })
    } catch (e) {
      if (e instanceof Problem && e.body.second_factor && !second) { setSecond(true); return }
      throw e
    }
    await enter(search.next)
  })
  return (
    <Frame title={second ? t('auth.secondTitle') : t('auth.loginTitle')} text={second ? t('auth.secondText') : undefined} footer={second
      ? <button type="button" className="btn ghost sm" onClick={() => { setSecond(false); setCode('') }}>{t('back')}</button>
      : <>{t('auth.noAccount')} <Link className="link" to="/register" search={{}}>{t('auth.register')}</Link></>}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
        <Message text={message} />
        {second
          ? <TextField name="code" label={t('auth.oneTimeCode')} value={code} onChange={setCode} error={errors.code} autoComplete="one-time-code" autoFocus help={t('auth.recoveryHint')} />
          : <>
              <TextField name="email" label={t('auth.email')} value={email} onChange={setEmail} error={errors.email} type="email" autoComplete="username" autoFocus />
              <TextField name="password" label={t('auth.password')} value={password} onChange={setPassword} error={errors.password} type="password" autoComplete="current-password" />
              <div className="text-end -mt-1 mb-2"><Link className="link text-xs" to="/forgot" search={email ? { email } : {}}>{t('auth.forgot')}</Link></div>
            </>}
        <Submit busy={busy}>{t('auth.login')}</Submit>
      </form>
    </Frame>
  )
}

export function Register() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const search = useSearch({ from: '/register' })
  const [v, setV] = useState({ first_name: '', last_name: '', email: search.email ?? '', password: '' })
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/auth/register', v)
    await navigate({ to: '/verify', search: { email: v.email } })
  })
  const set = (k: keyof typeof v) => (x: string) => setV({ ...v, [k]: x })
  return (
    <Frame title={t('auth.registerTitle')} text={t('auth.registerText')} footer={<>{t('auth.haveAccount')} <Link className="link" to="/login" search={{}}>{t('auth.login')}</Link></>}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
        <Message text={Object.keys(errors).length ? '' : message} />
        <div className="grid grid-cols-2 gap-3">
          <TextField name="first_name" label={t('auth.firstName')} value={v.first_name} onChange={set('first_name')} error={errors.first_name} autoComplete="given-name" autoFocus />
          <TextField name="last_name" label={t('auth.lastName')} value={v.last_name} onChange={set('last_name')} error={errors.last_name} autoComplete="family-name" />
        </div>
        <TextField name="email" label={t('auth.email')} value={v.email} onChange={set('email')} error={errors.email} type="email" autoComplete="email" />
        <TextField name="password" label={t('auth.password')} value={v.password} onChange={set('password')} error={errors.password} type="password" autoComplete="new-password" />
        <Submit busy={busy}>{t('auth.register')}</Submit>
      </form>
    </Frame>
  )
}

export function Verify() {
  const { t } = useTranslation()
  const search = useSearch({ from: '/verify' })
  const [email, setEmail] = useState(search.email ?? '')
  const [code, setCode] = useState(search.code ?? '')
  const enter = useEnter()
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/auth/verify', { email, code: code.trim() })
    await enter()
  })
  const started = useRef(false)
  useEffect(() => { if (search.code && search.email && !started.current) { started.current = true; void submit() } }, [])
  return (
    <Frame title={t('auth.verifyTitle')} text={t('auth.verifyText', { email: email || t('auth.yourAddress') })} footer={
      <button type="button" className="btn ghost sm" onClick={() => void post('/auth/resend', { email }).then(() => toast.success(t('auth.resent')), (e) => toast.error(messageOf(e)))}>{t('auth.resend')}</button>}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
        <Message text={Object.keys(errors).length ? '' : message} />
        {!search.email && <TextField name="email" label={t('auth.email')} value={email} onChange={setEmail} error={errors.email} type="email" autoComplete="email" />}
        <TextField name="code" label={t('auth.code')} value={code} onChange={setCode} error={errors.code} autoComplete="one-time-code" autoFocus />
        <Submit busy={busy}>{t('auth.verify')}</Submit>
      </form>
    </Frame>
  )
}

export function Forgot() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const search = useSearch({ from: '/forgot' })
  const [email, setEmail] = useState(search.email ?? '')
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/auth/forgot', { email })
    await navigate({ to: '/reset', search: { email } })
  })
  return (
    <Frame title={t('auth.forgotTitle')} text={t('auth.forgotText')} footer={<Link className="link" to="/login" search={{}}>{t('auth.backToLogin')}</Link>}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
        <Message text={Object.keys(errors).length ? '' : message} />
        <TextField name="email" label={t('auth.email')} value={email} onChange={setEmail} error={errors.email} type="email" autoComplete="email" autoFocus />
        <Submit busy={busy}>{t('auth.sendCode')}</Submit>
      </form>
    </Frame>
  )
}

export function Reset() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const search = useSearch({ from: '/reset' })
  const [password, setPassword] = useState('')
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/auth/reset', { email: search.email, code: search.code, password })
    toast.success(t('auth.resetDone'))
    await navigate({ to: '/login', search: search.email ? { email: search.email } : {} })
  })
  const back = <Link className="link" to="/login" search={{}}>{t('auth.backToLogin')}</Link>
  // The code comes by the link in the letter; without it there is nothing to fill in yet.
  if (!search.code) return <Frame title={t('auth.lookTitle')} text={t('auth.resetText', { email: search.email ?? t('auth.yourAddress') })} footer={back}><Link className="btn w-full" to="/forgot" search={search.email ? { email: search.email } : {}}>{t('auth.sendAgain')}</Link></Frame>
  return (
    <Frame title={t('auth.resetTitle')} text={search.email} footer={back}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
        <Message text={errors.password ? '' : message} />
        <input type="hidden" name="username" autoComplete="username" value={search.email ?? ''} />
        <TextField name="password" label={t('auth.newPassword')} value={password} onChange={setPassword} error={errors.password} type="password" autoComplete="new-password" autoFocus />
        <Submit busy={busy}>{t('auth.setPassword')}</Submit>
      </form>
    </Frame>
  )
}

/** Where the letter about a new address leads. */
export function ConfirmEmail() {
  const { t } = useTranslation()
  const search = useSearch({ from: '/confirm-email' })
  const [state, setState] = useState<'busy' | 'done' | string>('busy')
  const started = useRef(false)
  useEffect(() => {
    if (started.current) return
    started.current = true
    post('/auth/email/confirm', { code: search.code ?? '' }).then(() => { setState('done'); void queryClient.invalidateQueries({ queryKey: ['me'] }) }, (e) => setState(messageOf(e)))
  }, [])
  return (
    <Frame title={t('profile.newEmail')}>
      {state === 'busy' ? <p role="status">{t('loading')}</p> : state === 'done' ? <p role="status">{t('auth.emailConfirmed')}</p> : <Message text={state} />}
      <Link className="btn w-full" to="/">{t('home')}</Link>
    </Frame>
  )
}

export function Accept() {
  const { t } = useTranslation()
  const search = useSearch({ from: '/accept' })
  const { me } = useSession()
  const [code, setCode] = useState(search.code ?? '')
  const [v, setV] = useState({ first_name: '', last_name: '', password: '' })
  const enter = useEnter()
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/invitations/accept', me ? { code: code.trim() } : { code: code.trim(), ...v })
    await ownClock(me?.user.time_zone)
    await enter()
  })
  const set = (k: keyof typeof v) => (x: string) => setV({ ...v, [k]: x })
  return (
    <Frame title={t('auth.acceptTitle')} text={me ? t('auth.acceptAs', { email: me.user.email }) : t('auth.acceptText')} footer={me ? undefined : <>{t('auth.haveAccount')} <Link className="link" to="/login" search={{ next: `/accept${code ? `?code=${encodeURIComponent(code)}` : ''}` }}>{t('auth.login')}</Link></>}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
        <Message text={Object.keys(errors).length ? '' : message} />
        {!search.code && <TextField name="code" label={t('auth.invitationCode')} value={code} onChange={setCode} error={errors.code} autoFocus />}
        {!me && <>
          <div className="grid grid-cols-2 gap-3">
            <TextField name="first_name" label={t('auth.firstName')} value={v.first_name} onChange={set('first_name')} error={errors.first_name} autoComplete="given-name" />
            <TextField name="last_name" label={t('auth.lastName')} value={v.last_name} onChange={set('last_name')} error={errors.last_name} autoComplete="family-name" />
          </div>
          <TextField name="password" label={t('auth.password')} value={v.password} onChange={set('password')} error={errors.password} type="password" autoComplete="new-password" />
        </>}
        <Submit busy={busy}>{t('auth.accept')}</Submit>
      </form>
    </Frame>
  )
}

export function Onboarding() {
  const { t, i18n } = useTranslation()
  const { me } = useSession()
  const [v, setV] = useState(() => {
    const country = ownCountry()
    return { name: '', country, currency: currencyOfCountry(country), time_zone: ownZone(), language: i18n.language, bin: '' }
  })
  const enter = useEnter()
  const { submit, busy, errors, message } = useSubmit(async () => {
    const { bin, ...rest } = v
    await post('/organizations', { ...rest, ...(v.country === 'KZ' && bin ? { bin } : {}) })
    await ownClock(me?.user.time_zone)
    await enter()
  })
  const set = (k: keyof typeof v, x: string) => setV({ ...v, [k]: x, ...(k === 'country' ? { currency: currencyOfCountry(x) } : {}) })
  const choice = (k: keyof typeof v, label: string, options: { id: string; label: string }[]) => (
    <Labelled label={label} error={errors[k]} className="mb-3">
      {(p) => <select {...p} className="input" name={k} value={v[k]} onChange={(e) => set(k, e.target.value)}>{options.map((o) => <option key={o.id} value={o.id}>{o.label}</option>)}</select>}
    </Labelled>
  )
  return (
    <Frame title={t('onboarding.title')} text={t('onboarding.text')} width={480} footer={me?.organization ? <Link className="link" to="/">{t('back')}</Link> : undefined}>
      <form noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
        <Message text={Object.keys(errors).length ? '' : message} />
        <TextField name="name" label={t('onboarding.name')} value={v.name} onChange={(x) => set('name', x)} error={errors.name} autoComplete="organization" autoFocus />
        <div className="grid grid-cols-2 gap-x-3">
          {choice('country', t('onboarding.country'), countries(i18n.language))}
          {choice('currency', t('onboarding.currency'), currencies(i18n.language))}
          {choice('time_zone', t('timeZone'), zones().map((z) => ({ id: z, label: z.replaceAll('_', ' ') })))}
          {choice('language', t('language'), languages.map((l) => ({ id: l, label: LANGUAGE_NAMES[l] ?? l })))}
        </div>
        {v.country === 'KZ' && <TextField name="bin" label={t('onboarding.bin')} value={v.bin} onChange={(x) => set('bin', x)} error={errors.bin} inputMode="numeric" required={false} help={t('onboarding.binHelp')} />}
        <Submit busy={busy}>{t('onboarding.create')}</Submit>
      </form>
    </Frame>
  )
}
