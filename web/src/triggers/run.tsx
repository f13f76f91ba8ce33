import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { get } from '@/api/http'
import { formatInstant, useLocale } from '@/lib/format'
import { useEntity } from '@/meta/hooks'
import { Changes } from '@/record/history'
import { Dialog, Failure, Skeleton } from '@/ui/basics'
import type { Run } from './data'
import { Deeds, End, Verdicts } from './parts'

/** One run whole: what happened, why it was done or not, and what came of each action. */
export default function RunDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const { data: r, error } = useQuery({ queryKey: ['trigger-run', id], queryFn: () => get<Run>(`/trigger-executions/${id}`) })
  const { data: entity } = useEntity(r?.entity)
  return (
    <Dialog title={r?.trigger ?? t('triggers.run')} width={680} onClose={onClose}>
      {error ? <Failure error={error} /> : !r ? <Skeleton rows={4} /> : (
        <div className="flex flex-col gap-4">
          <div className="flex flex-wrap items-center gap-2"><End of={r} /><span className="text-muted num">{formatInstant(r.executed_at, locale)} · {t('triggers.took', { ms: r.execution_ms })}</span></div>
          {r.message && <div className={`note ${r.status === 'SUCCESS' ? '' : 'bad'}`} role="note">{r.message}</div>}
          <section aria-labelledby="run-event">
            <h3 id="run-event" className="field-label m-0">{t('triggers.happened')}</h3>
            <div>{entity?.label ?? r.entity} <Link className="ref" to="/o/$entity/r/$id" params={{ entity: r.entity, id: r.record_id }} search={{}}>{r.title || '…'}</Link>: {t(`triggers.event_${r.kind}`, r.kind)}{r.actor ? ` · ${r.actor}` : ''}</div>
            {r.changes && r.kind === 'updated' && <Changes entity={entity} changes={r.changes} locale={locale} />}
          </section>
          {r.event ? (
            <>
              <section aria-labelledby="run-why"><h3 id="run-why" className="field-label m-0">{t('triggers.condition')}</h3>{r.condition_result ? <Verdicts of={r.condition_result} entity={entity} /> : <div className="text-muted">{t('rules.always')}</div>}</section>
              {!!r.actions_executed?.length && <section aria-labelledby="run-deeds"><h3 id="run-deeds" className="field-label m-0">{t('triggers.deeds')}</h3><Deeds of={r.actions_executed} /></section>}
            </>
          ) : <div className="note">{t('triggers.hidden')}</div>}
        </div>
      )}
    </Dialog>
  )
}
