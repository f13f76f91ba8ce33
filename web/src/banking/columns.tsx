import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSubmit } from '@/lib/useForm'
import { Dialog, Labelled } from '@/ui/basics'
import { firstRows, headingOf, type Mapping } from './model'

const FIELDS = ['booked_on', 'amount', 'debit', 'credit', 'counterparty', 'iban', 'text', 'reference', 'value_on'] as const

/** A bank writes its tables its own way: which column is what is said once, and remembered with the account. */
export default function Columns({ name, text, onTake, onClose }: { name: string; text: string; onTake: (mapping: Mapping) => Promise<void>; onClose: () => void }) {
  const { t } = useTranslation()
  const rows = useMemo(() => firstRows(text), [text])
  const [at, setAt] = useState(() => headingOf(rows))
  const [mapping, setMapping] = useState<Mapping>({})
  const { submit, busy, message } = useSubmit(async () => { await onTake(mapping); onClose() })
  const headings = (rows[at] ?? []).filter(Boolean)
  const sample = (field: string) => { const i = (rows[at] ?? []).indexOf(String(mapping[field] ?? '')); return i < 0 ? null : rows.slice(at + 1, at + 4).map((r) => r[i]).filter(Boolean).join(' · ') }
  const say = (key: string, value: string | boolean) => setMapping((m) => Object.fromEntries(Object.entries({ ...m, [key]: value }).filter(([, v]) => v)))
  const whole = !!mapping.booked_on && !!(mapping.amount || mapping.debit || mapping.credit)
  return (
    <Dialog title={t('bank.columns')} description={t('bank.columnsText', { name })} width={640} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !whole}>{t('bank.bring')}</button></>}>
      {message && <div className="note bad mb-4" role="alert">{message}</div>}
      <Labelled label={t('bank.heading')} className="mb-4">{(p) => (
        <select {...p} className="input" value={at} onChange={(e) => { setAt(Number(e.target.value)); setMapping({}) }}>{rows.map((r, i) => <option key={i} value={i}>{i + 1}: {r.filter(Boolean).join(' · ').slice(0, 90)}</option>)}</select>)}</Labelled>
      <div className="grid sm:grid-cols-2 gap-4 mb-4">
        {FIELDS.map((f) => (
          <Labelled key={f} label={t(`bank.col_${f}`)} required={f === 'booked_on'} help={sample(f)}>{(p) => (
            <select {...p} className="input" value={String(mapping[f] ?? '')} onChange={(e) => say(f, e.target.value)}><option value="">{t('bank.noColumn')}</option>{headings.map((h, i) => <option key={i} value={h}>{h}</option>)}</select>)}</Labelled>
        ))}
      </div>
      <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={!!mapping.month_first} onChange={(e) => say('month_first', e.target.checked)} />{t('bank.monthFirst')}</label>
      <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={!!mapping.negate} onChange={(e) => say('negate', e.target.checked)} />{t('bank.negate')}</label>
    </Dialog>
  )
}
