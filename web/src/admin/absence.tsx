import { useQuery } from '@tanstack/react-query'
import { CalendarOff, Plus, X } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Named } from '@/approvals/data'
import { del, get, messageOf, post } from '@/api/http'
import { usePeople } from '@/api/people'
import { useManages, useSession } from '@/api/session'
import { formatDate, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Dialog, Empty, Failure, Labelled, Skeleton } from '@/ui/basics'
import { Section } from './layout'

interface Away { id: string; person: Named; delegate: Named; starts_on: string; ends_on: string; reason: string | null; may_end: boolean }

/** Who decides in one's name while one is away. */
export function Absence() {
  const { t } = useTranslation()
  const locale = useLocale()
  const [making, setMaking] = useState(false)
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['delegations'], queryFn: () => get<{ data: Away[] }>('/delegations').then((r) => r.data) })
  const end = (a: Away) => void del(`/delegations/${a.id}`).then(() => { done(t('absence.ended')); return refetch() }).catch((e) => toast.error(messageOf(e)))
  return (
    <Section title={t('settings.absence')} text={t('absence.text')} actions={<button type="button" className="btn primary" onClick={() => setMaking(true)}><Plus size={15} />{t('absence.new')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton rows={3} /> : data.length === 0 ? <Empty icon={<CalendarOff size={26} />} title={t('absence.none')} text={t('absence.noneText')} /> : (
        <ul className="list-none m-0 p-0">
          {data.map((a) => (
            <li key={a.id} className="flex items-center gap-3 min-h-12 border-b border-line py-1.5">
              <div className="flex-1 min-w-0"><div><strong className="font-semibold">{a.person.name}</strong> <span className="text-muted">→</span> <strong className="font-semibold">{a.delegate.name}</strong></div><div className="text-muted">{formatDate(a.starts_on, locale)} – {formatDate(a.ends_on, locale)}{a.reason && ` · ${a.reason}`}</div></div>
              {a.may_end && <button type="button" className="btn" onClick={() => end(a)}><X size={14} />{t('absence.end')}</button>}
            </li>
          ))}
        </ul>
      )}
      {making && <New onClose={() => setMaking(false)} onDone={() => void refetch()} />}
    </Section>
  )
}

function New({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation()
  const people = usePeople()
  const manages = useManages()
  const { me } = useSession()
  const own = people.find((p) => p.user === me?.user.id)?.id ?? ''
  const [f, setF] = useState(() => ({ person: own, delegate: '', starts_on: new Date().toISOString().slice(0, 10), ends_on: '', reason: '' }))
  const { submit, busy, errors, message } = useSubmit(async () => {
    await post('/delegations', { ...f, person: f.person || own, reason: f.reason.trim() || null })
    done(t('absence.made')); onDone(); onClose()
  })
  const choice = (key: 'person' | 'delegate', label: string, not: string) => (
    <Labelled label={label} required error={errors[key]} className="mb-4">{(p) => <select {...p} className="input" value={f[key]} onChange={(e) => setF({ ...f, [key]: e.target.value })}><option value="">{t('choose')}</option>{people.filter((x) => x.id !== not).map((x) => <option key={x.id} value={x.id}>{x.name}</option>)}</select>}</Labelled>
  )
  return (
    <Dialog title={t('absence.new')} width={460} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !f.delegate || !f.ends_on}>{t('save')}</button></>}>
      {message && !['delegate', 'starts_on', 'ends_on', 'reason'].some((k) => errors[k]) && <div className="note bad mb-3" role="alert">{message}</div>}
      {manages && choice('person', t('absence.who'), '')}
      {choice('delegate', t('absence.delegate'), f.person || own)}
      <div className="grid grid-cols-2 gap-3 mb-4">
        {(['starts_on', 'ends_on'] as const).map((key) => <Labelled key={key} label={t(`absence.${key}`)} required error={errors[key]}>{(p) => <input {...p} className="input" type="date" value={f[key]} onChange={(e) => setF({ ...f, [key]: e.target.value })} />}</Labelled>)}
      </div>
      <Labelled label={t('absence.reason')} error={errors.reason}>{(p) => <input {...p} className="input" maxLength={500} value={f.reason} onChange={(e) => setF({ ...f, reason: e.target.value })} />}</Labelled>
    </Dialog>
  )
}
