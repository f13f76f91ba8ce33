import './reports.css'
import { Link } from '@tanstack/react-router'
import { FileChartColumn } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useMeta } from '@/meta/hooks'
import { Empty, Failure, Skeleton } from '@/ui/basics'
import { EntityIcon } from '@/ui/icon'
import { listed } from './model'

/** All reports that one may see, by module. */
export function Reports() {
  const { t } = useTranslation()
  const { data: meta, error, refetch } = useMeta()
  useEffect(() => { document.title = `${t('reports.title')} · Fondaco` }, [t])
  return (
    <div className="flex-1 min-h-0 overflow-auto">
      <div className="max-w-[980px] mx-auto px-6 py-6 max-md:px-3">
        <h1 className="text-xl font-semibold m-0 mb-1">{t('reports.title')}</h1>
        <p className="text-muted mt-0 mb-5">{t('reports.text')}</p>
        {error ? <Failure error={error} retry={() => void refetch()} /> : !meta ? <Skeleton /> : !meta.reports?.length ? <Empty icon={<FileChartColumn size={28} />} title={t('reports.noReports')} text={t('reports.noReportsText')} /> : meta.reports.map((m) => (
          <section key={m.module} aria-label={m.title} className="mb-6">
            <h2 className="text-xs font-semibold text-faint m-0 mb-2">{m.title}</h2>
            <ul className="list-none m-0 p-0 grid gap-2 sm:grid-cols-2">
              {listed(m).map((r) => (
                <li key={r.name}>
                  <Link className="sheet flex gap-3 p-3 h-full no-underline text-fg hover:bg-hover" to="/reports/$module/$name" params={{ module: m.module, name: r.name }} search={{}}>
                    <EntityIcon name={r.icon ?? m.icon ?? null} className="text-muted mt-0.5 flex-none" />
                    <span className="min-w-0"><span className="font-medium block">{r.label}</span>{r.help && <span className="text-muted text-xs block mt-0.5">{r.help}</span>}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  )
}
