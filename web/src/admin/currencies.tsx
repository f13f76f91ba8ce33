import '@/reports/reports.css'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Upload } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useLocale } from '@/lib/format'
import { useMeta } from '@/meta/hooks'
import { Failure, Skeleton } from '@/ui/basics'
import { answered, reportOf } from '@/reports/model'
import { ReportTable } from '@/reports/table'
import { Section } from './layout'

const RATES = 'ledger.exchange_rates'
const TAXES = 'products.taxes'

/** What currencies are worth and how old that is, what is missing, and how high taxes are today. */
export function Currencies() {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const [rates, taxes] = [meta?.entities[RATES], meta?.entities[TAXES]]
  return (
    <Section wide title={t('settings.currencies')} text={t('currencies.text')} actions={rates?.can.import && <Link className="btn no-underline" to="/o/$entity/import" params={{ entity: RATES }} search={{}}><Upload size={15} aria-hidden="true" />{t('currencies.importRates')}</Link>}>
      <Part module="ledger" name="currencies" entity={RATES} />
      <Part module="products" name="taxes_of_the_day" entity={TAXES} />
      {!meta && <Skeleton />}
      {meta && !rates && !taxes && <p className="text-muted">{t('reports.missingText')}</p>}
    </Section>
  )
}

function Part({ module, name, entity }: { module: string; name: string; entity: string }) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const locale = useLocale()
  const found = reportOf(meta, module, name)
  const { data, error, refetch } = useQuery({ ...answered(module, name, {}), enabled: !!found })
  if (!found) return null
  const index = meta?.entities[entity]
  return (
    <div className="mb-8">
      <div className="flex items-center gap-3 mb-1"><h2 className="text-sm font-semibold m-0 flex-1">{found.report.label}</h2>{index && <Link className="link" to="/o/$entity" params={{ entity }} search={{}}>{index.plural}</Link>}</div>
      {error ? <Failure error={error} retry={() => void refetch()} /> : !data ? <Skeleton rows={4} /> : data.rows.length === 0 ? <p className="text-muted">{t('reports.none')}</p> : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={found.report.label}><ReportTable {...found} answer={data} before={undefined} search={{}} locale={locale} shut={NONE} at={undefined} onShut={() => {}} onLeave={() => {}} /></div>
      )}
    </div>
  )
}
const NONE = new Set<string>()
