import { useQuery } from '@tanstack/react-query'
import { createElement, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, messageOf, put } from '@/api/http'
import { queryClient, useManages, useSession } from '@/api/session'
import { isEmpty, typeOf } from '@/fields/registry'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useMeta } from '@/meta/hooks'
import type { Field } from '@/meta/types'
import { Chip, Empty, Failure, Skeleton } from '@/ui/basics'
import { Section } from './layout'

type Scope = 'organization' | 'workspace' | 'user'
interface Setting {
  key: string; label: string; help?: string | null; type: string; scopes?: Scope[]; entity?: string; options?: unknown[]; words?: Record<string, string>; min?: number; max?: number
  module: string; default?: unknown; value: unknown; set: { scope: Scope; workspace_id: string | null; value: unknown; is_set: boolean }[]
}
const query = { queryKey: ['settings'], queryFn: () => get<{ data: Setting[] }>('/settings').then((r) => r.data) }

export function General() {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const manages = useManages()
  const { data: all, error, isPending, refetch } = useQuery(query)
  // The company's settings are for those who manage it; one's own are for everybody.
  const data = all?.map((s) => ({ ...s, scopes: (s.scopes?.length ? s.scopes : (['organization'] as const)).filter((x) => manages || x === 'user') })).filter((s) => s.scopes.length)
  const modules = [...new Set(data?.map((s) => s.module))]
  const titleOf = (module: string) => (module === '' ? t('settings.company') : meta?.modules.find((x) => x.name === module)?.title ?? module)
  return (
    <Section title={t('settings.general')} text={t('general.text')}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending || !data ? <Skeleton /> : data.length === 0 ? <Empty title={t('general.none')} />
        : modules.map((m) => (
          <section key={m} className="mb-8" aria-label={titleOf(m)}>
            <h2 className="text-2xs font-semibold text-faint m-0 mb-1">{titleOf(m)}</h2>
            {data.filter((s) => s.module === m).map((s) => <One key={s.key} setting={s} />)}
          </section>
        ))}
    </Section>
  )
}

function One({ setting }: { setting: Setting & { scopes: Scope[] } }) {
  const id = useId()
  return (
    <div role="group" aria-labelledby={id} className="grid md:grid-cols-2 gap-x-8 gap-y-2 py-3.5 border-t border-line">
      <div><div id={id} className="font-medium">{setting.label}</div>{setting.help && <p className="m-0 mt-0.5 text-muted">{setting.help}</p>}</div>
      <div className="space-y-2.5">{setting.scopes.map((s) => <Place key={s} setting={setting} scope={s} />)}</div>
    </div>
  )
}

/** A setting where it is set: for the company, for the workspace one is in, for oneself. */
function Place({ setting, scope }: { setting: Setting; scope: Scope }) {
  const { t } = useTranslation()
  const id = useId()
  const { me } = useSession()
  const here = setting.set.find((s) => s.scope === scope)
  const secret = setting.type === 'secret'
  const kept = secret ? null : here?.value ?? null
  const [value, setValue] = useState<unknown>(kept)
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const where = t(`general.scope_${scope}`, { name: me?.workspace?.name })
  const write = (v: unknown) => put<{ data: Setting[] }>(`/settings/${setting.key}`, { scope, value: v, ...(scope === 'workspace' ? { workspace_id: me?.workspace?.id } : {}) }).then((r) => queryClient.setQueryData(query.queryKey, r.data))
  const save = async (v: unknown) => {
    if (busy) return
    setBusy(true); setError('')
    try {
      await write(setting.type === 'number' && typeof v === 'string' ? Number(v) : v)
      setValue(secret ? null : v)
      // A secret that is gone cannot be brought back: nobody has seen it.
      done(t('changed', { field: setting.label }), secret ? undefined : async () => { await write(kept); setValue(kept) })
    } catch (e) { setError(messageOf(e)); toast.error(messageOf(e)) } finally { setBusy(false) }
  }
  const changed = JSON.stringify(value ?? null) !== JSON.stringify(kept)
  return (
    <form onSubmit={(e) => { e.preventDefault(); if (changed && !isEmpty(value)) void save(value) }}>
      <div className="flex items-center gap-2"><label htmlFor={id} className="field-label flex-1">{where}</label>{secret && <Chip option={{ id: 'set', label: here?.is_set ? t('general.set') : t('general.unset'), color: here?.is_set ? 'green' : 'gray' }} />}</div>
      <div className="flex gap-1.5 items-start">
        <div className="flex-1 min-w-0"><Input id={id} setting={setting} where={where} value={value} onChange={setValue} invalid={!!error} describedBy={error ? id + 'e' : undefined} /></div>
        {changed && !isEmpty(value) && <button type="submit" className="btn primary" disabled={busy}>{t('save')}</button>}
        {here?.is_set && !(changed && !isEmpty(value)) && <button type="button" className="btn" disabled={busy} aria-label={t('general.resetNamed', { name: setting.label, where })} onClick={() => void save(null)}>{t('general.reset')}</button>}
      </div>
      {error && <div id={id + 'e'} className="field-error" role="alert">{error}</div>}
    </form>
  )
}

function Input({ id, setting: s, where, value, onChange, invalid, describedBy }: { id: string; setting: Setting; where: string; value: unknown; onChange: (v: unknown) => void; invalid: boolean; describedBy: string | undefined }) {
  const { t } = useTranslation()
  const aria = { id, 'aria-label': `${s.label}: ${where}`, 'aria-invalid': invalid, 'aria-describedby': describedBy }
  if (s.type === 'secret') return <input {...aria} className="input" type="password" autoComplete="new-password" value={value ? String(value) : ''} onChange={(e) => onChange(e.target.value || null)} />
  if (s.type === 'boolean' || s.type === 'select') {
    const choices = s.type === 'boolean' ? [true, false] : s.options ?? []
    const word = (o: unknown) => (typeof o === 'boolean' ? t(o ? 'yes' : 'no') : s.words?.[String(o)] ?? String(o))
    return (
      <select {...aria} className="input" value={value === null || value === undefined ? '' : String(choices.indexOf(value))} onChange={(e) => onChange(e.target.value === '' ? null : choices[Number(e.target.value)])}>
        <option value="">{isEmpty(s.default) ? t('choose') : t('general.default', { value: word(s.default) })}</option>{choices.map((o, i) => <option key={String(o)} value={i}>{word(o)}</option>)}
      </select>
    )
  }
  const field: Field = { name: s.key, label: s.label, type: s.type, required: false, readonly: false, access: 'write', ref: s.entity ? { entity: s.entity } : null, min: s.min ?? null, max: s.max ?? null, filterable: false, sortable: false, custom: false, unique: false }
  return createElement(typeOf(field).Input, { id, field, value, onChange, record: {}, invalid, describedBy, label: `${s.label}: ${where}` })
}
