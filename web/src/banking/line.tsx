import { useQuery } from '@tanstack/react-query'
import { Check, Plus, Search, X, Zap } from 'lucide-react'
import { useEffect, useRef, useState, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { typeOf } from '@/fields/registry'
import { editDecimal, parseDecimal } from '@/lib/decimal'
import { formatDate, formatMoney, useLocale } from '@/lib/format'
import { useKeys } from '@/lib/keys'
import { Skeleton } from '@/ui/basics'
import { ACCOUNT, documents, figure, itemsOf, left, PARTY, ruleFrom, signed, type Document, type Item, type Line, type MatchRule, type Part, type Reason, type Suggestion } from './model'

/** One line: what it says, what it may be, and its parts where it is several things. */
export function LineDesk({ line, found, finder, onTake, onRule }: { line: Line; found: Suggestion[] | undefined; finder: RefObject<HTMLInputElement | null>; onTake: (items: Item[]) => void; onRule: ((rule: MatchRule) => void) | null }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const keys = useRef(0)
  const [parts, setParts] = useState<Part[]>([])
  const money = (amount: string) => formatMoney(amount, locale, line.currency)
  const add = (item: Item, title: string, amount?: string) => setParts((all) => [...all, { key: ++keys.current, item, title, amount: amount ?? left(line.amount, all.map((p) => p.amount)) }])
  const rest = left(line.amount, parts.map((p) => p.amount))
  const change = (key: number, changes: Partial<Part>) => setParts((all) => all.map((p) => (p.key === key ? { ...p, ...changes } : p)))
  const whole = parts.length > 0 && rest === '0' && parts.every((p) => Object.values(p.item).some(Boolean))
  const matchParts = () => { if (whole) onTake(itemsOf(parts)) }
  const onAccount = () => add({ account_id: '' }, '')
  const inAdvance = () => add({ party_id: '' }, '')
  // A number takes its suggestion: whole at once, or as a part.
  const nth = (n: number) => { const s = found?.[n - 1]; if (s?.rest === '0') onTake(s.items); else if (s) addOf(s) }
  const addOf = (s: Suggestion) => s.items.forEach((item) => add(item, s.title, left(line.amount, [s.rest])))
  useKeys({ a: onAccount, p: inAdvance, r: () => onRule?.(ruleFrom(line, parts)), 'mod+Enter': matchParts, ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [String(n), () => nth(n)])) })
  return (
    <div className="bank-desk space-y-4">
      <div>
        <div className="flex items-baseline gap-3 flex-wrap"><h2 className="text-base font-semibold m-0 flex-1 min-w-0">{line.counterparty || line.text || '—'}</h2><span className="text-lg font-semibold tabular-nums">{money(line.amount)}</span></div>
        <p className="m-0 mt-1 text-muted bank-words">{[formatDate(line.booked_on, locale), line.counterparty ? line.text : null, line.iban, line.reference].filter(Boolean).join(' · ')}</p>
      </div>
      <div>
        <h3 className="text-sm font-semibold m-0 mb-2">{t('bank.suggestions')}</h3>
        {!found ? <Skeleton rows={2} /> : found.length === 0 ? <p className="m-0 text-muted">{t('bank.noSuggestions')}</p> : (
          <ul className="list-none m-0 p-0 space-y-2" aria-label={t('bank.suggestions')}>
            {found.map((s, i) => (
              <li key={i} className="border border-line rounded-md p-3 flex gap-3 items-start">
                <div className="flex-1 min-w-0"><div className="font-medium bank-words">{s.title}</div><Why reasons={s.reasons} line={line} /></div>
                {s.rest === '0'
                  ? <button type="button" className={i === 0 ? 'btn primary' : 'btn'} onClick={() => onTake(s.items)}><Check size={15} aria-hidden="true" />{t('bank.take')}<span className="visually-hidden">: {s.title}</span></button>
                  : <button type="button" className="btn" onClick={() => addOf(s)}><Plus size={15} aria-hidden="true" />{t('bank.addPart')}<span className="visually-hidden">: {s.title}</span></button>}
              </li>
            ))}
          </ul>
        )}
      </div>
      <Find line={line} finder={finder} onPick={(d) => add(d.kind === 'invoice' ? { invoice_id: d.id } : { payment_id: d.id }, `${d.number} · ${d.party}`, d.currency === line.currency ? signed(line, d.amount) : undefined)} />
      <div>
        <h3 className="text-sm font-semibold m-0 mb-2">{t('bank.parts')}</h3>
        <ul className="list-none m-0 p-0 space-y-2" aria-label={t('bank.parts')}>
          {parts.map((p, n) => (
            <li key={p.key} className="flex gap-2 items-center flex-wrap">
              <div className="flex-1 bank-target">
                {p.title ? <span className="bank-words">{p.title}</span> : <Target part={p} n={n + 1} onChange={(item) => change(p.key, { item })} />}
              </div>
              <Amount value={p.amount} label={t('bank.partAmount', { n: n + 1 })} disabled={!!p.item.payment_id || !!p.item.entry_id} onChange={(amount) => change(p.key, { amount })} />
              <button type="button" className="btn ghost icon" aria-label={t('bank.dropPart', { n: n + 1 })} onClick={() => setParts((all) => all.filter((x) => x !== p))}><X size={15} /></button>
            </li>
          ))}
        </ul>
        <div className="flex gap-2 mt-2 flex-wrap items-center">
          <button type="button" className="btn" onClick={onAccount}><Plus size={15} aria-hidden="true" />{t('bank.onAccount')}</button>
          <button type="button" className="btn" onClick={inAdvance}><Plus size={15} aria-hidden="true" />{t('bank.inAdvance')}</button>
          {onRule && <button type="button" className="btn ghost" onClick={() => onRule(ruleFrom(line, parts))}><Zap size={15} aria-hidden="true" />{t('bank.makeRule')}</button>}
          {parts.length > 0 && <>
            <span className="text-muted tabular-nums ms-auto" role="status">{t('bank.rest', { amount: money(rest) })}</span>
            <button type="button" className="btn primary" disabled={!whole} onClick={matchParts}>{t('bank.match')}</button>
          </>}
        </div>
      </div>
    </div>
  )
}

function Why({ reasons, line }: { reasons: Reason[]; line: Line }) {
  const { t } = useTranslation()
  const locale = useLocale()
  return <div className="flex gap-1.5 flex-wrap mt-1.5">{reasons.map((r) => <span key={r.code} className="chip gray plain"><span>{t(`bank.why_${r.code}`, { value: figure(r, line, locale) })}</span></span>)}</div>
}

/** An account of the books, or whose money it is. */
function Target({ part, n, onChange }: { part: Part; n: number; onChange: (item: Item) => void }) {
  const { t } = useTranslation()
  const isAccount = part.item.account_id !== undefined
  const Input = typeOf(ACCOUNT).Input
  const pick = (v: unknown) => onChange(isAccount ? { account_id: String(v ?? '') } : { party_id: String(v ?? '') })
  return <Input field={isAccount ? ACCOUNT : PARTY} label={t(isAccount ? 'bank.partAccount' : 'bank.partParty', { n })} autoFocus value={(isAccount ? part.item.account_id : part.item.party_id) || null} record={{}} onChange={pick} />
}

function Amount({ value, label, disabled, onChange }: { value: string; label: string; disabled: boolean; onChange: (v: string) => void }) {
  const { locale } = useLocale()
  const [text, setText] = useState<string | null>(null)
  return (
    <input className="input bank-part tabular-nums" inputMode="decimal" aria-label={label} disabled={disabled} value={text ?? editDecimal(value, locale)}
      onChange={(e) => { setText(e.target.value); const n = parseDecimal(e.target.value, locale); if (n !== null) onChange(n) }} onBlur={() => setText(null)} />
  )
}

/** Open invoices and payments, by number, name or amount. */
function Find({ line, finder, onPick }: { line: Line; finder: RefObject<HTMLInputElement | null>; onPick: (d: Document) => void }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [text, setText] = useState('')
  const [asked, setAsked] = useState('')
  useEffect(() => { const timer = setTimeout(() => setAsked(text.trim()), 150); return () => clearTimeout(timer) }, [text])
  const { data, isFetching } = useQuery({ queryKey: ['bank', 'documents', line.id, asked], enabled: asked !== '', queryFn: () => documents(line.id, asked), placeholderData: (p) => p })
  const rows = asked === '' ? [] : data ?? []
  return (
    <div>
      <h3 className="text-sm font-semibold m-0 mb-2" id="bank-find">{t('bank.find')}</h3>
      <div className="relative">
        <Search size={14} className="text-muted bank-lens" aria-hidden="true" />
        <input ref={finder} className="input bank-finder" type="search" aria-labelledby="bank-find" placeholder={t('bank.findHint')} value={text} onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => { if (e.key === 'Enter' && rows[0]) { e.preventDefault(); onPick(rows[0]); setText('') } if (e.key === 'Escape') { setText(''); e.currentTarget.blur() } }} />
      </div>
      {asked !== '' && !isFetching && rows.length === 0 && <p className="m-0 mt-2 text-muted" role="status">{t('nothingFound')}</p>}
      {rows.length > 0 && (
        <ul className="list-none m-0 mt-2 p-0" aria-label={t('bank.find')}>
          {rows.map((d) => (
            <li key={d.id}>
              <button type="button" className="item w-full" onClick={() => { onPick(d); setText('') }}>
                <span className="flex-1 min-w-0 truncate text-start">{t(d.kind === 'invoice' ? 'bank.invoice' : 'bank.payment', { number: d.number })} · {d.party}</span>
                <span className="text-muted text-xs">{formatDate(d.on, locale)}</span><span className="tabular-nums">{formatMoney(d.amount, locale, d.currency)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
