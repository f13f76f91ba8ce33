import { clsx } from 'clsx'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import { MOD } from '@/lib/keys'
import { useSubmit } from '@/lib/useForm'
import { Dialog, Labelled } from '@/ui/basics'
import { Combobox, type Choice } from '@/ui/combobox'
import { DECISIONS, needsWords, type Body, type Decision } from './data'

/** What one decides, with a word to it. The same for one and for many. */
export function DecideDialog({ title, first, many, run, onClose }: { title: string; first: Decision; many?: boolean; run: (body: Body) => Promise<void>; onClose: () => void }) {
  const { t } = useTranslation()
  const people = usePeople()
  const [decision, setDecision] = useState<Decision>(first)
  const [comment, setComment] = useState('')
  const [to, setTo] = useState<Choice | null>(null)
  const { submit, busy, errors, message } = useSubmit(async () => {
    await run({ decision, ...(comment.trim() ? { comment: comment.trim() } : {}), ...(decision === 'delegate' && to ? { to: to.id } : {}) })
    onClose()
  })
  const offered = many ? DECISIONS.filter((d) => d !== 'ask') : DECISIONS
  const bad = decision === 'reject' || decision === 'return'
  return (
    <Dialog title={title} width={520} onClose={onClose} onSubmit={() => void submit()} footer={<>
      <button type="button" className="btn" onClick={onClose}>{t('cancel')}</button>
      <button type="submit" className={clsx('btn', bad ? 'danger' : 'primary')} disabled={busy} aria-busy={busy}>{t(`approvals.do_${decision}`)}<kbd aria-hidden="true">{MOD}↵</kbd></button>
    </>}>
      <div role="radiogroup" aria-label={t('approvals.decision')} className="flex flex-wrap gap-1.5 mb-4">
        {offered.map((d) => <button key={d} type="button" role="radio" aria-checked={d === decision} className={clsx('btn', d === decision ? 'on' : 'ghost')} onClick={() => setDecision(d)}>{t(`approvals.do_${d}`)}</button>)}
      </div>
      {decision === 'delegate' && (
        <Labelled label={t('approvals.to')} required error={errors.to} className="mb-4">
          {(p) => <Combobox id={p.id} value={to?.id ?? null} shown={to?.label ?? ''} queryKey={['people', people.length]} label={t('approvals.to')} invalid={p['aria-invalid']} describedBy={p['aria-describedby']} required
            find={async (q) => people.filter((x) => `${x.name} ${x.email}`.toLowerCase().includes(q.toLowerCase())).slice(0, 50).map((x) => ({ id: x.id, label: x.name, hint: x.email }))} onPick={setTo} />}
        </Labelled>
      )}
      <Labelled label={t(needsWords(decision) ? 'approvals.why' : 'approvals.comment')} required={needsWords(decision)} error={errors.comment}>
        {(p) => <textarea {...p} className="input" rows={3} autoFocus maxLength={2000} value={comment} onChange={(e) => setComment(e.target.value)} />}
      </Labelled>
      {message && !errors.comment && !errors.to && <div role="alert" className="note bad mt-4">{message}</div>}
    </Dialog>
  )
}
