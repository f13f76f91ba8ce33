import { useQuery } from '@tanstack/react-query'
import { createElement, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { del, messageOf, put, send } from '@/api/http'
import { profileQuery, useOwnPicture, type Profile } from '@/api/people'
import { fullName, queryClient, useSession } from '@/api/session'
import { typeOf } from '@/fields/registry'
import { squared } from '@/lib/picture'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import type { Field } from '@/meta/types'
import { Avatar, Failure, Labelled, Skeleton } from '@/ui/basics'

export function About() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(profileQuery)
  return (
    <section className="max-w-[520px] mt-8 pt-5 border-t border-line" aria-labelledby="about">
      <h2 id="about" className="text-base font-semibold m-0 mb-4">{t('about.title')}</h2>
      {error ? <Failure error={error} retry={() => void refetch()} /> : data ? <><Picture has={data.picture} /><Form profile={data} /></> : <Skeleton />}
    </section>
  )
}

function Picture({ has }: { has: boolean }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const src = useOwnPicture()
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const attempt = async (run: () => Promise<unknown>) => {
    setBusy(true)
    try { await run(); await queryClient.invalidateQueries({ queryKey: profileQuery.queryKey }); done(t('changed', { field: t('about.picture') })) } catch (e) { toast.error(messageOf(e)) } finally { setBusy(false) }
  }
  const take = (file: File | undefined) => file && void attempt(async () => {
    let small: Blob
    try { small = await squared(file) } catch { throw new Error(t('about.noPicture')) }
    await send('PUT', '/me/picture', { raw: small, headers: { 'Content-Type': small.type } })
  })
  return (
    <div className="flex items-center gap-4 mb-5" aria-busy={busy}>
      <Avatar name={fullName(me!.user)} size={64} src={src} />
      <div className="flex flex-wrap gap-2">
        <button type="button" className="btn" disabled={busy} onClick={() => input.current?.click()}>{has ? t('about.otherPicture') : t('about.choosePicture')}</button>
        {has && <button type="button" className="btn ghost" disabled={busy} onClick={() => void attempt(() => del('/me/picture'))}>{t('about.dropPicture')}</button>}
        <input ref={input} type="file" hidden accept="image/*" aria-label={t('about.picture')} onChange={(e) => { take(e.target.files?.[0]); e.target.value = '' }} />
      </div>
    </div>
  )
}

const SKILLS: Field = { name: 'skills', label: '', type: 'tags', required: false, readonly: false, access: 'write', filterable: false, sortable: false, custom: false, unique: false }

function Form({ profile }: { profile: Profile }) {
  const { t } = useTranslation()
  const { title, phone, bio, skills, visibility } = profile
  const [v, setV] = useState({ title, phone, bio, skills, visibility })
  const { submit, busy, errors, message } = useSubmit(async () => {
    queryClient.setQueryData(profileQuery.queryKey, await put<Profile>('/me/profile', v))
    done(t('saved'))
  })
  const shown = (name: string) => (
    <label className="inline-flex items-center gap-2 mt-1.5 min-h-6 text-xs text-muted"><input type="checkbox" aria-label={`${t(`about.${name === 'title' ? 'job' : name}`)}: ${t('about.shown')}`} checked={v.visibility[name] !== 'self'} onChange={(e) => setV({ ...v, visibility: { ...v.visibility, [name]: e.target.checked ? 'organization' : 'self' } })} />{t('about.shown')}</label>
  )
  return (
    <form noValidate className="space-y-4" onSubmit={(e) => { e.preventDefault(); void submit() }}>
      {message && !Object.keys(errors).length && <div className="note bad" role="alert">{message}</div>}
      <div className="grid grid-cols-2 gap-4 max-md:grid-cols-1">
        <div><Labelled label={t('about.job')} error={errors.title}>{(p) => <input {...p} className="input" autoComplete="organization-title" value={v.title} onChange={(e) => setV({ ...v, title: e.target.value })} />}</Labelled>{shown('title')}</div>
        <div><Labelled label={t('about.phone')} error={errors.phone}>{(p) => <input {...p} className="input" type="tel" autoComplete="tel" value={v.phone} onChange={(e) => setV({ ...v, phone: e.target.value })} />}</Labelled>{shown('phone')}</div>
      </div>
      <div><Labelled label={t('about.bio')} error={errors.bio}>{(p) => <textarea {...p} className="input" rows={3} value={v.bio} onChange={(e) => setV({ ...v, bio: e.target.value })} />}</Labelled>{shown('bio')}</div>
      <div><Labelled label={t('about.skills')} error={errors.skills} help={t('about.skillsHelp')}>{(p) => createElement(typeOf(SKILLS).Input, { id: p.id, field: SKILLS, value: v.skills, onChange: (x) => setV((old) => ({ ...old, skills: (x as string[]) ?? [] })), record: {}, invalid: p['aria-invalid'], describedBy: p['aria-describedby'] })}</Labelled>{shown('skills')}</div>
      <button type="submit" className="btn primary" disabled={busy}>{t('about.save')}</button>
    </form>
  )
}
