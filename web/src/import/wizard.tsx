import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'
import { CircleCheck, FileSpreadsheet, Upload } from 'lucide-react'
import { clsx } from 'clsx'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { uploadFile } from '@/api/files'
import { get, messageOf, patch, post, url } from '@/api/http'
import { pathOf, refresh } from '@/api/records'
import { follow, type Work } from '@/app/work'
import { formatNumber, useLocale } from '@/lib/format'
import { editable, useEntity, visibleFields } from '@/meta/hooks'
import type { Entity, Field } from '@/meta/types'
import { Confirm, Failure, Labelled, Progress, Skeleton } from '@/ui/basics'
import { DirectImport } from './direct'

interface Import {
  id: string; format: string; columns: { name: string; sample: unknown[] }[]; mapping: Record<string, string | null>; rows: number; upsert_key?: string | null
  status?: string; total?: number; done?: number; created?: number; updated?: number; unchanged?: number; failed?: number; errors?: { row: number; field?: string | null; message: string }[]
}
type Step = 'upload' | 'map' | 'check' | 'result'
const STEPS: Step[] = ['upload', 'map', 'check', 'result']

export function ImportPage() {
  const { t } = useTranslation()
  const { entity: name } = useParams({ from: '/house/o/$entity/import' })
  const { data, error } = useEntity(name)
  useEffect(() => { if (data) document.title = `${t('import.title')} · ${data.plural}` }, [data, t])
  if (error) return <Failure error={error} />
  if (!data) return <Skeleton />
  return (
    <div className="flex-1 min-h-0 overflow-auto">
      <div className="max-w-[880px] mx-auto px-6 py-6">
        <nav aria-label={t('breadcrumb')} className="text-muted mb-1"><Link className="link !text-muted" to="/o/$entity" params={{ entity: data.name }} search={{}}>{data.plural}</Link></nav>
        <h1 className="text-xl font-semibold m-0 mb-4">{t('importNamed', { name: data.plural })}</h1>
        {data.import_call ? <DirectImport entity={data} /> : <Wizard entity={data} />}
      </div>
    </div>
  )
}

/** A column and a field fit when their names say the same, however written. */
const plain = (s: string) => s.toLowerCase().normalize('NFKD').replace(/[^\p{L}\p{N}]+/gu, '')
export function match(column: string, fields: Field[]): string | null {
  const c = plain(column)
  const found = fields.find((f) => plain(f.name) === c || plain(f.label) === c || plain(f.name.replace(/_id$/, '')) === c)
    ?? fields.find((f) => c.length > 3 && (plain(f.label).startsWith(c) || c.startsWith(plain(f.label)) && plain(f.label).length > 3))
  return found?.name ?? null
}

function Wizard({ entity }: { entity: Entity }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const { id } = useSearch({ from: '/house/o/$entity/import' })
  const [step, setStep] = useState<Step>('upload')
  const [im, setIm] = useState<Import | null>(null)
  const [mapping, setMapping] = useState<Record<string, string>>({})
  const [key, setKey] = useState('')
  const [busy, setBusy] = useState('')
  const [job, setJob] = useState<Work | null>(null)
  const [problem, setProblem] = useState('')
  const [undoing, setUndoing] = useState(false)
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const fields = visibleFields(entity).filter(editable)

  // An import that was begun is found again by its address.
  const { data: begun } = useQuery({ queryKey: ['import', id], enabled: !!id && !im, queryFn: () => get<Import>(`/imports/${id}`), retry: false })
  useEffect(() => {
    if (!begun || im) return
    const known = { ...begun, columns: begun.columns ?? [] }
    setIm(known); setMapping(clean(known.mapping)); setKey(known.upsert_key ?? '')
    setStep(['done', 'completed', 'finished', 'undone'].includes(begun.status ?? '') ? 'result' : begun.status === 'checked' ? 'check' : 'map')
  }, [begun, im])

  const attempt = async (what: string, f: () => Promise<void>) => {
    if (busy) return
    setBusy(what); setProblem(''); setJob(null)
    try { await f() } catch (e) { setProblem(messageOf(e)) } finally { setBusy(''); setJob(null) }
  }
  const upload = (file: File) => attempt('upload', async () => {
    const stored = await uploadFile(file, {})
    const { import: fresh } = await post<{ import: Import }>(`${pathOf(entity.name)}/_import`, { file: stored.id })
    setIm(fresh)
    const guessed = clean(fresh.mapping)
    for (const c of fresh.columns) if (!guessed[c.name]) { const m = match(c.name, fields); if (m && !Object.values(guessed).some((x) => x === m || x.startsWith(`${m}.`))) guessed[c.name] = m }
    setMapping(guessed)
    setStep('map')
    void navigate({ to: '/o/$entity/import', params: { entity: entity.name }, search: { id: fresh.id }, replace: true })
  })
  const work = async (verb: 'check' | 'run' | 'undo'): Promise<Import> => {
    const answer = await post<{ job?: string | Work } & Partial<Work>>(`/imports/${im!.id}/${verb}`)
    const started = answer.job ?? (answer.id && answer.status ? (answer as Work) : null)
    if (started) {
      const end = await follow(started, setJob)
      if (end.status !== 'done') throw new Error(end.error ?? t('error.broken'))
    }
    const now = await get<Import>(`/imports/${im!.id}`)
    const whole = { ...im!, ...now, columns: now.columns ?? im!.columns }
    setIm(whole)
    return whole
  }
  const check = () => attempt('check', async () => {
    await patch(`/imports/${im!.id}`, { mapping, ...(key ? { upsert_key: key } : { upsert_key: null }) })
    await work('check')
    setStep('check')
  })
  const run = () => attempt('run', async () => { await work('run'); refresh(entity.name); setStep('result') })
  const undo = () => attempt('undo', async () => { await work('undo'); refresh(entity.name) })
  const used = new Set(Object.values(mapping))
  const missing = fields.filter((f) => f.required && (f.default === null || f.default === undefined) && ![...used].some((u) => u === f.name || u.startsWith(`${f.name}.`)))
  const n = (v: number | undefined) => formatNumber(String(v ?? 0), locale)

  return (
    <>
      <ol className="list-none flex gap-5 m-0 p-0 mb-6 border-b border-line flex-wrap">
        {STEPS.map((s, i) => <li key={s} aria-current={s === step ? 'step' : undefined} className={clsx('pb-2 -mb-px border-b-2', s === step ? 'border-accent font-medium' : 'border-transparent text-muted')}>{i + 1}. {t(`import.step_${s}`)}</li>)}
      </ol>
      {problem && <div className="note bad mb-4" role="alert">{problem}</div>}

      {step === 'upload' && (
        <div className="border border-dashed border-line-strong rounded-lg p-12 text-center" style={over ? { background: 'var(--sel)' } : undefined} onDragOver={(e) => { e.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)} onDrop={(e) => { e.preventDefault(); setOver(false); const f = e.dataTransfer.files[0]; if (f) void upload(f) }}>
          <FileSpreadsheet size={30} className="mx-auto text-faint" aria-hidden="true" />
          <p className="mt-3 mb-4 text-muted">{t('import.drop')}</p>
          <button type="button" className="btn primary" aria-busy={!!busy} disabled={!!busy} onClick={() => input.current?.click()}><Upload size={15} />{busy ? t('uploading') : t('chooseFile')}</button>
          <input ref={input} type="file" hidden accept=".csv,.tsv,.txt,.xlsx,.json,text/csv,application/json" aria-label={t('chooseFile')} onChange={(e) => { const f = e.target.files?.[0]; if (f) void upload(f); e.target.value = '' }} />
        </div>
      )}

      {step === 'map' && im && (
        <>
          <p className="text-muted mt-0">{t('import.mapText', { count: im.rows, n: n(im.rows) })}</p>
          <table className="data">
            <thead><tr><th scope="col">{t('import.column')}</th><th scope="col">{t('import.sample')}</th><th scope="col">{t('import.field')}</th></tr></thead>
            <tbody>{im.columns.map((c) => {
              const target = mapping[c.name] ?? ''
              return (
                <tr key={c.name}><th scope="row" className="!text-fg !font-medium !text-sm">{c.name}</th><td className="text-muted"><span className="block truncate max-w-[260px]">{c.sample.filter((x) => x !== null && x !== '').slice(0, 3).join(' · ')}</span></td>
                  <td style={{ width: 280 }}><select className="input" aria-label={t('import.fieldFor', { name: c.name })} value={target} onChange={(e) => setMapping((m) => { const next = { ...m }; if (e.target.value) next[c.name] = e.target.value; else delete next[c.name]; return next })}>
                    <option value="">{t('import.skip')}</option>
                    {target && !fields.some((f) => f.name === target) && <option value={target}>{target}</option>}
                    {fields.map((f) => <option key={f.name} value={f.name} disabled={used.has(f.name) && target !== f.name}>{f.label}{f.required ? ' *' : ''}</option>)}
                  </select></td></tr>
              )
            })}</tbody>
          </table>
          <Labelled label={t('import.key')} help={t('import.keyHelp')} className="mt-5 max-w-[360px]">{(p) => <select {...p} className="input" value={key} onChange={(e) => setKey(e.target.value)}><option value="">{t('import.noKey')}</option>{fields.filter((f) => f.unique && used.has(f.name)).map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}</select>}</Labelled>
          {missing.length > 0 && <div className="note mt-4" role="status">{t('import.missing', { names: missing.map((f) => f.label).join(', ') })}</div>}
          <Working busy={busy} job={job} />
          <div className="flex gap-2 mt-5"><button type="button" className="btn" onClick={() => { setIm(null); setStep('upload'); void navigate({ to: '/o/$entity/import', params: { entity: entity.name }, search: {}, replace: true }) }}>{t('back')}</button><button type="button" className="btn primary" disabled={!!busy || used.size === 0} onClick={() => void check()}>{t('import.check')}</button></div>
        </>
      )}

      {step === 'check' && im && (
        <>
          <Numbers im={im} dry />
          <Errors im={im} entity={entity} />
          <Working busy={busy} job={job} />
          <div className="flex gap-2 mt-5"><button type="button" className="btn" disabled={!!busy} onClick={() => setStep('map')}>{t('back')}</button><button type="button" className="btn primary" disabled={!!busy || (im.total ?? im.rows) === (im.failed ?? 0)} onClick={() => void run()}>{t('import.run', { n: n((im.total ?? im.rows) - (im.failed ?? 0)) })}</button></div>
        </>
      )}

      {step === 'result' && im && (
        <>
          <div className="flex items-center gap-2 mb-4 font-semibold text-base" role="status"><CircleCheck size={18} className="text-good" aria-hidden="true" />{im.status === 'undone' ? t('import.undone') : t('import.done')}</div>
          {im.status !== 'undone' && <Numbers im={im} />}
          {im.status !== 'undone' && <Errors im={im} entity={entity} />}
          <Working busy={busy} job={job} />
          <div className="flex gap-2 mt-5 flex-wrap">
            <Link className="btn primary no-underline" to="/o/$entity" params={{ entity: entity.name }} search={{}}>{t('import.see')}</Link>
            {im.status !== 'undone' && ((im.created ?? 0) + (im.updated ?? 0)) > 0 && <button type="button" className="btn danger" disabled={!!busy} onClick={() => setUndoing(true)}>{t('import.undo')}</button>}
            <button type="button" className="btn" disabled={!!busy} onClick={() => { setIm(null); setStep('upload'); void navigate({ to: '/o/$entity/import', params: { entity: entity.name }, search: {}, replace: true }) }}>{t('import.another')}</button>
          </div>
        </>
      )}
      {undoing && <Confirm title={t('import.undoTitle')} text={t('import.undoText')} action={t('import.undo')} danger onClose={() => setUndoing(false)} onConfirm={() => void undo()} />}
    </>
  )
}

const clean = (m: Record<string, string | null> | undefined): Record<string, string> => Object.fromEntries(Object.entries(m ?? {}).filter((e): e is [string, string] => !!e[1] && typeof e[1] === 'string'))

function Working({ busy, job }: { busy: string; job: Work | null }) {
  const { t } = useTranslation()
  if (!busy || busy === 'upload') return null
  return <div className="mt-5"><div className="text-muted mb-1.5" role="status">{t(`import.busy_${busy}`)}</div><Progress done={job?.done ?? 0} total={job?.total ?? 0} label={t(`import.busy_${busy}`)} /></div>
}

function Numbers({ im, dry }: { im: Import; dry?: boolean }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const cells: [string, number, string?][] = [['total', im.total ?? im.rows], [dry ? 'willCreate' : 'created', im.created ?? 0], [dry ? 'willUpdate' : 'updated', im.updated ?? 0], ['unchanged', im.unchanged ?? 0], ['failed', im.failed ?? 0, 'text-bad']]
  return (
    <dl className="m-0 grid border border-line rounded-lg overflow-hidden" style={{ gridTemplateColumns: 'repeat(auto-fit,minmax(120px,1fr))' }}>
      {cells.map(([k, v, color]) => <div key={k} className="px-4 py-3 border-e border-line last:border-e-0"><dt className="text-muted text-xs">{t(`import.${k}`)}</dt><dd className={clsx('m-0 text-xl font-semibold num', v > 0 && color)}>{formatNumber(String(v), locale)}</dd></div>)}
    </dl>
  )
}

function Errors({ im, entity }: { im: Import; entity: Entity }) {
  const { t } = useTranslation()
  const all = im.errors ?? []
  if (all.length === 0) return null
  return (
    <section className="mt-5" aria-label={t('import.errors')}>
      <div className="flex items-center mb-1"><h2 className="text-sm font-semibold m-0 flex-1">{t('import.errors')}</h2><a className="link" href={url(`/imports/${im.id}/errors.csv`)} download>{t('import.errorFile')}</a></div>
      <table className="data">
        <thead><tr><th scope="col" className="end" style={{ width: 70 }}>{t('import.row')}</th><th scope="col">{t('import.field')}</th><th scope="col">{t('import.why')}</th></tr></thead>
        <tbody>{all.slice(0, 50).map((e, i) => <tr key={i}><td className="end num">{e.row}</td><td>{entity.fields.find((f) => f.name === e.field)?.label ?? e.field}</td><td>{e.message}</td></tr>)}</tbody>
      </table>
      {all.length > 50 && <div className="text-muted mt-1">{t('more', { count: all.length - 50 })}</div>}
    </section>
  )
}
