import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, patch } from '@/api/http'
import { queryClient, type Organization } from '@/api/session'
import { languages } from '@/i18n'
import { countries, currencies, zones } from '@/lib/places'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Failure, Labelled, Skeleton } from '@/ui/basics'
import { LANGUAGE_NAMES } from '@/ui/languages'
import { Section } from './layout'

export function OrganizationSettings() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({ queryKey: ['organization'], queryFn: () => get<Organization & { version?: number }>('/organization') })
  return <Section title={t('settings.organization')}>{error ? <Failure error={error} retry={() => void refetch()} /> : data ? <Form key={String(data.version ?? data.id)} org={data} /> : <Skeleton />}</Section>
}

const KEYS = ['name', 'country', 'currency', 'time_zone', 'language', 'bin'] as const
function Form({ org }: { org: Organization & { version?: number } }) {
  const { t, i18n } = useTranslation()
  const initial = Object.fromEntries(KEYS.map((k) => [k, String(org[k] ?? '')])) as Record<(typeof KEYS)[number], string>
  const [v, setV] = useState(initial)
  const { submit, busy, errors, message } = useSubmit(async () => {
    const changes = Object.fromEntries(KEYS.filter((k) => v[k] !== initial[k]).map((k) => [k, v[k] || null]))
    await patch('/organization', changes, org.version === undefined ? {} : { 'If-Match': `"${org.version}"` })
    await Promise.all([queryClient.invalidateQueries({ queryKey: ['organization'] }), queryClient.invalidateQueries({ queryKey: ['me'] })])
    done(t('saved'))
  })
  const dirty = KEYS.some((k) => v[k] !== initial[k])
  const text = (k: (typeof KEYS)[number], label: string) => <Labelled label={label} error={errors[k]}>{(p) => <input {...p} className="input" value={v[k]} onChange={(e) => setV({ ...v, [k]: e.target.value })} />}</Labelled>
  const choice = (k: (typeof KEYS)[number], label: string, options: { id: string; label: string }[]) => <Labelled label={label} error={errors[k]}>{(p) => <select {...p} className="input" value={v[k]} onChange={(e) => setV({ ...v, [k]: e.target.value })}>{!options.some((o) => o.id === v[k]) && <option value={v[k]}>{v[k]}</option>}{options.map((o) => <option key={o.id} value={o.id}>{o.label}</option>)}</select>}</Labelled>
  return (
    <form noValidate className="max-w-[560px] space-y-4" onSubmit={(e) => { e.preventDefault(); void submit() }}>
      {message && !Object.keys(errors).length && <div className="note bad" role="alert">{message}</div>}
      {text('name', t('onboarding.name'))}
      <div className="grid grid-cols-2 gap-4">
        {choice('country', t('onboarding.country'), countries(i18n.language))}
        {choice('currency', t('onboarding.currency'), currencies(i18n.language))}
        {choice('time_zone', t('timeZone'), zones().map((z) => ({ id: z, label: z.replaceAll('_', ' ') })))}
        {choice('language', t('language'), languages.map((l) => ({ id: l, label: LANGUAGE_NAMES[l] ?? l })))}
        {v.country === 'KZ' && text('bin', t('onboarding.bin'))}
      </div>
      <dl className="text-muted mx-0 mt-0 grid gap-1.5" style={{ gridTemplateColumns: '120px 1fr' }}><dt>{t('organization.address')}</dt><dd className="m-0 text-fg">{org.slug}</dd><dt>{t('organization.plan')}</dt><dd className="m-0 text-fg">{org.plan}</dd></dl>
      <button type="submit" className="btn primary" disabled={busy || !dirty}>{t('save')}</button>
    </form>
  )
}
