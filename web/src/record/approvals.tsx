import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ofRecordQuery } from '@/approvals/data'
import { Due, StatusChip, Steps, Subject, Talk } from '@/approvals/parts'

/** What of a record waits for approval, and what was decided before. */
export default function Approvals({ entity, id }: { entity: string; id: string }) {
  const { t } = useTranslation()
  const { data } = useQuery(ofRecordQuery(entity, id))
  const [all, setAll] = useState(false)
  if (!data?.length) return null
  const shown = all ? data : data.slice(0, 1)
  return (
    <section className="note mb-4" aria-label={t('approvals.title')}>
      {shown.map((a, i) => (
        <div key={a.id} className={i ? 'mt-4 pt-3 border-t border-line' : undefined}>
          <div className="flex flex-wrap items-center gap-2 mb-2"><strong className="font-semibold"><Subject of={a} /></strong><StatusChip status={a.status} />{a.status === 'pending' && <Due of={a} />}<Link to="/approvals" search={{ ...(a.may_decide ? {} : { of: 'requested' as const }), id: a.id }} className="link ms-auto min-h-6">{a.may_decide ? t('approvals.decide') : t('open')}</Link></div>
          <Steps of={a} />
          <Talk of={a} />
        </div>
      ))}
      {data.length > 1 && <button type="button" className="btn ghost sm mt-2" aria-expanded={all} onClick={() => setAll(!all)}>{all ? t('record.lessFields') : t('approvals.earlier', { count: data.length - 1 })}</button>}
    </section>
  )
}
