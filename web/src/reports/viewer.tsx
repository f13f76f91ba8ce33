import './reports.css'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useRouter, useSearch } from '@tanstack/react-router'
import { Download, FileChartColumn, Printer } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { url } from '@/api/http'
import { PrintTop } from '@/app/print'
import { formatDate, useLocale } from '@/lib/format'
import { useKeys } from '@/lib/keys'
import { useMeta } from '@/meta/hooks'
import { Empty, Failure, Menu, Skeleton } from '@/ui/basics'
import { EntityIcon } from '@/ui/icon'
import { answered, asked, lacks, reportOf, shifted, type Against, type Report, type Search } from './model'
import { Params } from './params'
import { ReportTable } from './table'

export function ReportPage() {
  const { module, name } = useParams({ from: '/house/reports/$module/$name' })
  const { data: meta, error } = useMeta()
  const { t } = useTranslation()
  const found = reportOf(meta, module, name)
  if (error) return <Failure error={error} />
  if (!meta) return <Skeleton />
  if (!found) return <Empty icon={<FileChartColumn size={28} />} title={t('reports.missing')} text={t('reports.missingText')}><Link className="btn no-underline" to="/reports">{t('reports.all')}</Link></Empty>
  return <Viewer key={`${module}.${name}`} {...found} />
}

function Viewer({ report, words }: { report: Report; words: Record<string, string> }) {
  const { t, i18n } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const { history } = useRouter()
  const search = useSearch({ from: '/house/reports/$module/$name' }) as Search
  const params = asked(report, search)
  const missing = lacks(report, search)
  const now = useQuery({ ...answered(report.module, report.name, params), enabled: !missing })
  const beside = search.compare && now.data ? shifted(report, now.data, search.compare as Against) : null
  const before = useQuery({ ...answered(report.module, report.name, { ...params, ...beside }), enabled: !!beside })
  const shut = useMemo(() => new Set((search.shut ?? '').split(' ').filter(Boolean)), [search.shut])
  useEffect(() => { document.title = `${report.label} · Fondaco` }, [report])
  // What is looked at is in the address; only following a figure is a step to come back from.
  const say = (changes: Record<string, string | undefined>) => void navigate({ to: '/reports/$module/$name', params: { module: report.module, name: report.name }, search: Object.fromEntries(Object.entries<string | undefined>({ ...search, skip: undefined, at: undefined, ...changes }).flatMap(([k, v]) => (v ? [[k, v]] : []))), replace: true })
  // At once, so that it is written before the link that was followed is.
  const leave = (key: string) => { const here = new URL(location.href); here.searchParams.set('at', key); history.replace(here.pathname + here.search); history.flush() }
  useKeys({ Backspace: () => history.back() })
  const answer = missing ? undefined : now.data
  const file = (format: string) => url(`/reports/${report.module}/${report.name}`, { ...params, format, language: i18n.language })
  const span = answer && (report.params.some((p) => p.name === 'from') && answer.from && answer.to ? `${formatDate(answer.from, locale)} – ${formatDate(answer.to, locale)}` : answer.as_of ? formatDate(answer.as_of, locale) : '')
  return (
    <div className="flex-1 min-h-0 flex flex-col">
      <header className="flex items-center gap-2 px-4 h-12 border-b border-line flex-none no-print">
        <nav aria-label={t('breadcrumb')} className="min-w-0 flex items-center gap-1.5"><Link className="link !text-muted max-md:hidden" to="/reports">{t('reports.title')}</Link><span className="text-faint max-md:hidden" aria-hidden="true">/</span></nav>
        <h1 className="text-base font-semibold m-0 truncate flex-1 flex items-center gap-2"><EntityIcon name={report.icon ?? null} size={16} className="text-muted" /><span className="truncate">{report.label}</span></h1>
        <Menu align="end" trigger={<button type="button" className="btn" disabled={!answer?.rows.length}><Download size={15} aria-hidden="true" /><span className="max-md:hidden">{t('export')}</span><span className="md:hidden visually-hidden">{t('export')}</span></button>} items={[{ label: 'CSV', href: file('csv') }, { label: 'Excel (XLSX)', href: file('xlsx') }]} />
        <button type="button" className="btn icon" aria-label={t('reports.print')} title={t('reports.print')} onClick={() => window.print()}><Printer size={15} /></button>
      </header>
      <Params report={report} words={words} search={search} answer={answer} onChange={say} />
      <div className="r-scroll" tabIndex={0} role="region" aria-label={report.label} aria-busy={now.isFetching}>
        <PrintTop title={[report.label, answer?.about, span].filter(Boolean).join(' · ')} />
        {missing ? <Empty icon={<FileChartColumn size={28} />} title={t('reports.choose', { name: missing.label })} text={report.help ?? undefined} />
          : now.error && !now.data ? <Failure error={now.error} retry={() => void now.refetch()} />
          : !answer ? <Skeleton rows={12} /> : (
            <>
              {now.error && <div className="note bad mt-3" role="alert">{now.error.message}</div>}
              <p className="text-muted my-3 max-w-[80ch]">{answer.about && <strong className="text-fg font-semibold">{answer.about}{' · '}</strong>}{[span, report.help].filter(Boolean).join(' · ')}</p>
              {before.error && <div className="note bad mb-3" role="alert">{t('reports.noBeside')} {before.error.message}</div>}
              {answer.rows.length === 0
                ? <Empty icon={<FileChartColumn size={28} />} title={t('reports.none')} text={t('reports.noneText')} />
                : <ReportTable report={report} words={words} answer={answer} before={beside ? before.data : undefined} search={search} locale={locale} shut={shut} at={search.at}
                    onShut={(key) => { const next = new Set(shut); if (!next.delete(key)) next.add(key); say({ shut: [...next].join(' '), skip: search.skip }) }} onLeave={leave} />}
              {answer.next ? <button type="button" className="btn mt-4" onClick={() => void navigate({ to: '/reports/$module/$name', params: { module: report.module, name: report.name }, search: { ...search, skip: String(answer.next), at: '' } })}>{t('reports.next')}</button> : null}
            </>
          )}
      </div>
    </div>
  )
}
