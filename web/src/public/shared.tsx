import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ChevronLeft, ChevronRight, Languages, Lock, Moon, Sun } from 'lucide-react'
import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, post, Problem, send } from '@/api/http'
import { currencyOf, typeOf } from '@/fields/registry'
import { changeLanguage, languages, withWords } from '@/i18n'
import { formatDate, formatMoney, formatNumber, type Locale } from '@/lib/format'
import { ownZone } from '@/lib/places'
import { useNarrow } from '@/lib/narrow'
import { applyTheme } from '@/lib/theme'
import { useSubmit } from '@/lib/useForm'
import type { Field, Option } from '@/meta/types'
import { Empty, Labelled, Skeleton } from '@/ui/basics'
import { LANGUAGE_NAMES } from '@/ui/languages'
import './shared.css'

export interface Opened { name: string; kind: string; key: string; expires_at: string | null; currency: string; zone: string | null; entity: { label: string; plural: string; fields: Field[] }; state: { sums: string[] }; board?: { field: string; label: string; required: boolean; options: Option[] }; time?: { start: Field; end: Field | null; colour: Field | null } }
export type Values = Record<string, unknown>
export interface Page { data: Values[]; count: { value: number; exact: boolean } | null }
interface Sums { data: { count: number; sums: Record<string, string | null> }[] }

const shape = <N extends keyof typeof import('./shapes')>(name: N) => lazy(() => withWords(() => import('./shapes')).then((m) => ({ default: m[name] })))
const Board = shape('Board')
const Calendar = shape('Calendar')
const Dashboard = shape('Dashboard')
const Gallery = shape('Gallery')
const Timeline = shape('Timeline')

const PAGE = 50
/** What has been turned into words by the server: whom and what it leads to is not for guests. */
export const WORDS = new Set(['relation', 'user', 'file'])

/** What somebody shows of his company to whoever has the link. It asks for nothing but pages and sums. */
export function SharedPage() {
  const { token } = useParams({ from: '/s/$token' })
  const { t, i18n } = useTranslation()
  const [password, setPassword] = useState<string | undefined>()
  const opened = useQuery<Opened>({
    queryKey: ['shared', token, password, i18n.language], retry: false, staleTime: 50 * 60_000, gcTime: 0, refetchOnWindowFocus: false, placeholderData: (old) => old,
    queryFn: () => post<Opened>(`/public/${encodeURIComponent(token)}`, password ? { password } : {}),
  })
  const { data, error } = opened
  useEffect(() => { document.title = `${data?.name ?? t('share.page')} · Fondaco` }, [data?.name, t])
  if (data) return <Frame title={data.name} text={data.entity.plural}><Body token={token} opened={data} again={() => void opened.refetch()} /></Frame>
  if (error instanceof Problem && error.status === 401) return <Frame title={t('share.enter')}><Password token={token} onRight={setPassword} /></Frame>
  if (error) return <Frame title={error instanceof Problem && error.status === 404 ? t('share.gone') : t('share.page')}><Empty icon={<Lock size={24} />} title={error instanceof Problem && error.status === 404 ? t('share.goneText') : messageOf(error)} /></Frame>
  return <Frame title={t('share.page')}><Skeleton rows={10} /></Frame>
}

function Frame({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  const { t, i18n } = useTranslation()
  const [dark, setDark] = useState(document.documentElement.dataset.theme === 'dark')
  return (
    <div className="shared">
      <header className="flex items-center gap-3 px-5 py-3 max-md:px-3 border-b border-line">
        <div className="flex-1 min-w-0"><h1 className="text-lg font-semibold m-0 truncate">{title}</h1>{text && <p className="m-0 text-muted text-xs">{text}</p>}</div>
        <label className="flex items-center gap-1.5 text-muted no-print"><Languages size={14} aria-hidden="true" /><span className="visually-hidden">{t('language')}</span>
          <select className="border-0 bg-transparent text-muted h-7" value={i18n.language} onChange={(e) => void changeLanguage(e.target.value)}>{languages.map((l) => <option key={l} value={l}>{LANGUAGE_NAMES[l] ?? l}</option>)}</select>
        </label>
        <button type="button" className="btn ghost icon sm no-print" aria-label={dark ? t('theme.light') : t('theme.dark')} onClick={() => { applyTheme(dark ? 'light' : 'dark'); setDark(!dark) }}>{dark ? <Sun size={14} /> : <Moon size={14} />}</button>
      </header>
      <main id="main" className="flex-1 min-w-0">{children}</main>
      <footer className="px-5 py-3 text-xs text-muted max-md:px-3">{t('share.with')}</footer>
    </div>
  )
}

function Password({ token, onRight }: { token: string; onRight: (password: string) => void }) {
  const { t } = useTranslation()
  const [password, setPassword] = useState('')
  const { submit, busy, message } = useSubmit(async () => {
    await post<Opened>(`/public/${encodeURIComponent(token)}`, { password })
    onRight(password)
  })
  return (
    <form className="sheet p-6 mx-auto mt-10 max-md:mt-4" style={{ maxWidth: 360 }} onSubmit={(e) => { e.preventDefault(); void submit() }}>
      <p className="m-0 mb-4 text-muted">{t('share.enterText')}</p>
      <Labelled label={t('share.passwordField')} required error={message || undefined}>{(p) => <input {...p} className="input" type="password" autoComplete="off" autoFocus value={password} onChange={(e) => setPassword(e.target.value)} />}</Labelled>
      <button type="submit" className="btn primary w-full mt-4" style={{ height: 34 }} disabled={busy || !password} aria-busy={busy}>{t('share.show')}</button>
    </form>
  )
}

export function Value({ field, row, locale }: { field: Field; row: Values; locale: Locale }) {
  const value = row[field.name]
  if (value === null || value === undefined || field.type === 'button') return null
  if (WORDS.has(field.type)) return <>{String(value)}</>
  const { Cell } = typeOf(field)
  return <Cell field={field} value={value} record={row} locale={locale} link={false} currency={field.type === 'money' ? currencyOf(field, row) : undefined} />
}

export interface BodyProps { token: string; opened: Opened; again: () => void }
/** As what it was shared; what has no shape for guests is a table. */
function Body(p: BodyProps) {
  const { kind, board, time } = p.opened
  return <Suspense fallback={<Skeleton rows={10} />}>{board ? <Board {...p} /> : kind === 'dashboard' ? <Dashboard {...p} otherwise={<Rows {...p} />} /> : time && kind === 'calendar' ? <Calendar {...p} /> : time ? <Timeline {...p} /> : <Rows {...p} />}</Suspense>
}

export function useGuestLocale({ currency, zone }: Opened): Locale {
  const { i18n } = useTranslation()
  return useMemo((): Locale => ({ locale: navigator.language.startsWith(i18n.language) ? navigator.language : i18n.language, zone: zone ?? ownZone(), currency }), [i18n.language, zone, currency])
}
/** A key lasts an hour; whoever looks longer is let in again with what he knows. */
export function useAgain(error: Error | null, again: () => void): boolean {
  const over = error instanceof Problem && error.status === 401
  useEffect(() => { if (over) again() }, [over])
  return over
}
export function Gone({ error }: { error: Error }) {
  const { t } = useTranslation()
  return <Empty icon={<Lock size={24} />} title={error instanceof Problem && error.status === 404 ? t('share.goneText') : messageOf(error)} />
}

function Rows({ token, opened, again }: BodyProps) {
  const { t } = useTranslation()
  const { entity, key, currency, state } = opened
  const [page, setPage] = useState(0)
  const narrow = useNarrow()
  const pictured = opened.kind === 'gallery'
  const cards = narrow || opened.kind === 'list'
  const locale = useGuestLocale(opened)
  const headers = { 'X-Share-Key': key }
  const at = `/public/${encodeURIComponent(token)}`
  const rows = useQuery<Page>({
    queryKey: ['shared', token, 'rows', key, page], retry: false, gcTime: 0, placeholderData: (old) => old,
    queryFn: ({ signal }) => send<Page>('GET', `${at}/rows`, { query: { offset: page * PAGE, limit: PAGE }, headers, signal }).then((a) => a.data),
  })
  const sums = useQuery({ queryKey: ['shared', token, 'sums', key], retry: false, gcTime: 0, enabled: state.sums.length > 0, queryFn: () => post<Sums>(`${at}/aggregate`, { sums: state.sums }, headers) })
  const over = useAgain(rows.error, again)
  if (rows.error && !over) return <Gone error={rows.error} />
  if (!rows.data) return <Skeleton rows={10} />
  const { data, count } = rows.data
  const total = count?.value ?? data.length
  const number = (n: number) => formatNumber(n, locale)
  const sumOf = (f: Field) => (sums.data?.data ?? []).flatMap((s) => {
    const value = s.sums[f.name]
    if (value === null || value === undefined || s.count === 0) return []
    return [f.type === 'money' ? formatMoney(value, locale, currencyOf(f, s as unknown as Values) ?? currency) : formatNumber(value, locale, { max: 6 })]
  }).join(' · ')
  const summed = entity.fields.filter((f) => state.sums.includes(f.name) && sumOf(f))
  const end = (f: Field) => (typeOf(f).align === 'end' ? 'end' : undefined)
  return (
    <>
      {!['table', 'list', 'gallery'].includes(opened.kind) && <p className="m-0 px-5 pt-3 text-muted text-xs max-md:px-3 no-print">{t('share.asTable')}</p>}
      {data.length === 0 ? <Empty title={t('nothingFound')} /> : pictured ? <Gallery token={token} opened={opened} rows={data} locale={locale} /> : cards ? (
        <ul className="list-none m-0 p-3 gap-2 flex flex-col">{data.map((row, i) => (
          <li key={i} className="sheet p-3"><dl className="m-0 shared-card">{entity.fields.map((f) => row[f.name] !== null && row[f.name] !== '' && <div key={f.name}><dt>{f.label}</dt><dd><Value field={f} row={row} locale={locale} /></dd></div>)}</dl></li>
        ))}
        {summed.length > 0 && <li className="sheet p-3 font-medium"><dl className="m-0 shared-card">{summed.map((f) => <div key={f.name}><dt>{t('share.sumOf', { name: f.label })}</dt><dd>{sumOf(f)}</dd></div>)}</dl></li>}
        </ul>
      ) : (
        <div className="shared-table" role="region" aria-label={opened.name} tabIndex={0}>
          <table className="data">
            <thead><tr>{entity.fields.map((f) => <th key={f.name} scope="col" className={end(f)}>{f.label}</th>)}</tr></thead>
            <tbody>{data.map((row, i) => <tr key={i}>{entity.fields.map((f) => <td key={f.name} className={end(f)}><Value field={f} row={row} locale={locale} /></td>)}</tr>)}</tbody>
            {summed.length > 0 && <tfoot><tr>{entity.fields.map((f, i) => <td key={f.name} className={end(f)}>{summed.includes(f) ? sumOf(f) : i === 0 ? t('share.sum') : null}</td>)}</tr></tfoot>}
          </table>
        </div>
      )}
      <nav aria-label={t('share.pages')} className="flex items-center gap-2 px-5 py-3 max-md:px-3 text-muted">
        <span className="flex-1" role="status">{total > 0 ? t('share.range', { from: number(page * PAGE + 1), to: number(page * PAGE + data.length), n: (count?.exact === false ? '≈ ' : '') + number(total) }) : ''}{opened.expires_at && <> · {t('share.until', { when: formatDate(opened.expires_at, locale) })}</>}</span>
        {total > PAGE && <>
          <button type="button" className="btn icon sm no-print" aria-label={t('share.before')} disabled={page === 0} onClick={() => { setPage(page - 1); scrollTo(0, 0) }}><ChevronLeft size={15} className="rtl:scale-x-[-1]" /></button>
          <button type="button" className="btn icon sm no-print" aria-label={t('share.next')} disabled={(page + 1) * PAGE >= total} onClick={() => { setPage(page + 1); scrollTo(0, 0) }}><ChevronRight size={15} className="rtl:scale-x-[-1]" /></button>
        </>}
      </nav>
    </>
  )
}
