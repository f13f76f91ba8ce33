import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ChevronRight, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, post } from '@/api/http'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { useMeta } from '@/meta/hooks'
import { Confirm, Failure, Labelled, Menu, Skeleton } from '@/ui/basics'
import { approvalQuery, renew, type Decision, type Whole } from './data'
import { Amount, Due, Facts, StatusChip, Steps, Subject, Talk } from './parts'

/** One request beside the queue; on a phone it has the screen, and the buttons under the thumb. */
export function Detail({ id, onDecide, onClose }: { id: string; onDecide: (first: Decision) => void; onClose: () => void }) {
  const { t } = useTranslation()
  const { data: a, error, refetch } = useQuery(approvalQuery(id))
  const { data: meta } = useMeta()
  const [leaving, setLeaving] = useState(false)
  const box = useRef<HTMLElement>(null)
  useEffect(() => { if (!document.activeElement || document.activeElement === document.body) box.current?.focus({ preventScroll: true }) }, [])
  const withdraw = () => void post(`/approvals/${id}/withdraw`).then(async () => { await renew(); done(t('approvals.withdrawn')) }).catch((e) => toast.error(messageOf(e)))
  return (
    <aside ref={box} tabIndex={-1} aria-label={t('approvals.request')} className="w-[520px] max-lg:w-[420px] max-md:w-full flex-none border-s border-line max-md:border-s-0 flex flex-col min-h-0 outline-none">
      {error ? <Failure error={error} retry={() => void refetch()} /> : !a ? <Skeleton /> : (
        <>
          <div className="flex-1 min-h-0 overflow-auto p-5 max-md:p-4">
            <div className="flex items-start gap-2">
              <div className="flex-1 min-w-0">
                <h2 className="m-0 text-xl font-semibold leading-snug" style={{ overflowWrap: 'anywhere' }}>{a.title || t('approvals.untitled')}</h2>
                <div className="text-muted mt-0.5"><Subject of={a} /> · {a.requested_by?.name}</div>
              </div>
              <button type="button" className="btn ghost icon sm max-md:!hidden" aria-label={t('close')} onClick={onClose}><X size={16} /></button>
            </div>
            <div className="flex flex-wrap items-center gap-2 mt-3"><Amount of={a} className="text-xl" /><StatusChip status={a.status} />{a.status === 'pending' && <Due of={a} />}</div>
            {a.in_name_of && <p className="m-0 mt-2 text-muted">{t('approvals.inNameOf', { name: a.in_name_of.name })}</p>}
            {a.reason && <p className="mb-0 mt-3" style={{ overflowWrap: 'anywhere' }}>{a.reason}</p>}
            <section className="mt-5" aria-label={t('approvals.facts')}><Facts of={a} /></section>
            {meta?.entities[a.entity] && <Link className="btn mt-3 no-underline text-fg" to="/o/$entity/r/$id" params={{ entity: a.entity, id: a.record_id }} search={{}}>{t('approvals.openRecord')}<ChevronRight size={14} className="rtl:scale-x-[-1]" aria-hidden="true" /></Link>}
            <h3 className="mt-6 mb-2 text-2xs font-semibold text-faint">{t('approvals.levels')}</h3>
            <Steps of={a} />
            {a.history.length > 0 && <><h3 className="mt-4 mb-2 text-2xs font-semibold text-faint">{t('approvals.history')}</h3><Talk of={a} /></>}
            {a.may_answer && <Answer of={a} />}
          </div>
          {(a.may_decide || a.may_withdraw) && (
            <div className="flex-none border-t border-line bg-raised p-3 flex gap-2 max-md:pb-5">
              {a.may_decide && <>
                <Menu align="start" trigger={<button type="button" className="btn">{t('approvals.more')}</button>} items={(['return', 'ask', 'delegate'] as const).map((d) => ({ label: t(`approvals.do_${d}`), onSelect: () => onDecide(d) }))} />
                <button type="button" className="btn danger flex-1" onClick={() => onDecide('reject')}>{t('approvals.do_reject')}<kbd aria-hidden="true">R</kbd></button>
                <button type="button" className="btn primary flex-1" onClick={() => onDecide('approve')}>{t('approvals.do_approve')}<kbd aria-hidden="true">A</kbd></button>
              </>}
              {a.may_withdraw && <button type="button" className="btn danger" onClick={() => setLeaving(true)}>{t('approvals.withdraw')}</button>}
            </div>
          )}
          {leaving && <Confirm title={t('approvals.withdrawTitle')} text={t('approvals.withdrawText')} action={t('approvals.withdraw')} danger onClose={() => setLeaving(false)} onConfirm={withdraw} />}
        </>
      )}
    </aside>
  )
}

function Answer({ of: a }: { of: Whole }) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post(`/approvals/${a.id}/answer`, { comment: text })
    setText('')
    await renew()
  })
  return (
    <form className="mt-4" noValidate onSubmit={(e) => { e.preventDefault(); void submit() }}>
      <Labelled label={t('approvals.answer')} error={errors.comment ?? (message || undefined)}>{(p) => <textarea {...p} className="input" rows={2} value={text} onChange={(e) => setText(e.target.value)} />}</Labelled>
      <button type="submit" className="btn primary mt-2" disabled={busy || !text.trim()}>{t('approvals.sendAnswer')}</button>
    </form>
  )
}
