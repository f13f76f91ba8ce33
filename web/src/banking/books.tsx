import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatDate, formatMoney, useLocale } from '@/lib/format'
import { Dialog, Failure, Labelled, Skeleton } from '@/ui/basics'
import { LINES, standing, type Account } from './model'

/** What the bank says and what the books say on a day, and everything that the difference is made of. */
export default function Books({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [on, setOn] = useState('')
  const { data: s, error, refetch } = useQuery({ queryKey: ['bank', 'standing', account.id, on], queryFn: () => standing(account.id, on || undefined) })
  const money = (v: string) => formatMoney(v, locale, account.currency)
  const total = (label: string, amount: string, strong = false) => <div className={strong ? 'flex gap-3 py-1 border-t border-line font-semibold' : 'flex gap-3 py-1'}><dt className="flex-1">{label}</dt><dd className="m-0 tabular-nums">{money(amount)}</dd></div>
  const list = (title: string, rows: { key: string; on: string; text: string; amount: string; entity: string }[]) => rows.length > 0 && (
    <section className="mt-4">
      <h3 className="text-sm font-semibold m-0 mb-1">{title}</h3>
      <ul className="list-none m-0 p-0" aria-label={title}>
        {rows.map((r) => <li key={r.key}><Link className="item no-underline text-fg" to="/o/$entity/r/$id" params={{ entity: r.entity, id: r.key }} search={{}}><span className="text-muted text-xs bank-day">{formatDate(r.on, locale)}</span><span className="flex-1 min-w-0 truncate">{r.text}</span><span className="tabular-nums">{money(r.amount)}</span></Link></li>)}
      </ul>
    </section>
  )
  return (
    <Dialog title={t('bank.books')} width={620} onClose={onClose}>
      <Labelled label={t('bank.asOf')} className="mb-3 max-w-48">{(p) => <input {...p} type="date" className="input" value={on || s?.as_of || ''} onChange={(e) => setOn(e.target.value)} />}</Labelled>
      {error ? <Failure error={error} retry={() => void refetch()} /> : !s ? <Skeleton rows={4} /> : (
        <>
          <dl className="m-0">
            {s.statement && total(t('bank.closing', { number: s.statement.number, date: formatDate(s.statement.through_on, locale) }), s.statement.closing)}
            {total(t('bank.atBank'), s.at_bank)}
            {total(t('bank.inBooks'), s.in_books)}
            {total(t('bank.booksLess'), s.difference, true)}
          </dl>
          {s.difference === '0' && s.not_in_books.length + s.not_at_bank.length === 0 && <p className="m-0 mt-2 text-muted" role="status">{t('bank.agrees')}</p>}
          {list(t('bank.notInBooks'), s.not_in_books.map((x) => ({ key: x.line_id, on: x.on, text: x.text ?? '—', amount: x.amount, entity: LINES })))}
          {list(t('bank.notAtBank'), s.not_at_bank.map((x) => ({ key: x.entry_id, on: x.on, text: [x.number, x.description].filter(Boolean).join(' · '), amount: x.amount, entity: 'ledger.journal_entries' })))}
          {s.unexplained !== '0' && <div className="note bad mt-4" role="alert">{t('bank.unexplained', { amount: money(s.unexplained) })}</div>}
        </>
      )}
    </Dialog>
  )
}
