import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { clsx } from 'clsx'
import { ArrowLeft, CheckCheck, FileUp, Landmark, ListChecks, Undo2, X, Zap } from 'lucide-react'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import { refresh } from '@/api/records'
import { queryClient } from '@/api/session'
import { follow } from '@/app/work'
import { formatDate, formatMoney, useLocale } from '@/lib/format'
import { useKeys } from '@/lib/keys'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useMeta } from '@/meta/hooks'
import { Empty, Failure, Progress, Skeleton } from '@/ui/basics'
import './bank.css'
import { LineDesk } from './line'
import { accounts, bringIn, busiest, decode, isUnknownTable, LINES, match, matchedCount, openLines, RULES, standing, suggestions, takeAll, undoMatch, waiting, type Account, type Item, type Line, type Mapping, type MatchRule } from './model'

const RulesDialog = lazy(() => import('./rule'))
const RuleDialog = lazy(() => import('./rule').then((m) => ({ default: m.RuleDialog })))
const Columns = lazy(() => import('./columns'))
const Books = lazy(() => import('./books'))

/** What the bank says, line by line, beside what it may be. Worked through by keys alone. */
export default function Reconcile() {
  const { t } = useTranslation()
  const locale = useLocale()
  const navigate = useNavigate()
  const search = useSearch({ from: '/house/bank' })
  const { data: all, error, isPending, refetch } = useQuery({ queryKey: ['bank', 'accounts'], queryFn: accounts })
  const { data: open, isPending: counting } = useQuery({ queryKey: ['bank', 'waiting'], queryFn: waiting })
  // Chosen once: the page does not leave for another account when this one's last line is done.
  const first = useRef<string>(undefined)
  if (all && !counting) first.current ??= busiest(all, open ?? new Map<string, number>())?.id
  const account = all?.find((a) => a.id === (search.account ?? first.current))
  useEffect(() => { document.title = `${t('bank.title')} · Fondaco` }, [t])
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (isPending || counting) return <Skeleton />
  if (!account) {
    return (
      <Empty icon={<Landmark size={26} />} title={t('bank.noAccounts')} text={t('bank.noAccountsText')}>
        <Link className="btn primary no-underline" to="/o/$entity" params={{ entity: 'banking.bank_accounts' }} search={{}}>{t('bank.makeAccount')}</Link>
      </Empty>
    )
  }
  const choose = (id: string) => void navigate({ to: '/bank', search: { account: id } })
  return (
    <div className="flex-1 min-h-0 flex flex-col">
      <div className="flex items-center gap-2 px-6 pt-4 pb-2 max-md:px-4 flex-wrap">
        <h1 className="text-lg font-semibold m-0">{t('bank.title')}</h1>
        <select className="input bank-account" aria-label={t('bank.account')} value={account.id} onChange={(e) => choose(e.target.value)}>
          {all!.map((a) => <option key={a.id} value={a.id}>{a.name} · {a.currency}{open?.get(a.id) ? ` (${open.get(a.id)})` : ''}</option>)}
        </select>
        <Desk key={account.id} account={account} locale={locale} />
      </div>
      <Work key={account.id} account={account} />
    </div>
  )
}

const renew = () => { void queryClient.invalidateQueries({ queryKey: ['bank'] }); refresh(LINES) }

/** How far one is, and what is done with all lines at once. */
function Desk({ account, locale }: { account: Account; locale: ReturnType<typeof useLocale> }) {
  const { t } = useTranslation()
  const file = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const { data: open } = useQuery({ queryKey: ['bank', 'open', account.id], queryFn: () => openLines(account.id) })
  const { data: matched } = useQuery({ queryKey: ['bank', 'matched', account.id], queryFn: () => matchedCount(account.id) })
  const { data: stand } = useQuery({ queryKey: ['bank', 'standing', account.id], queryFn: () => standing(account.id), retry: false })
  const total = (open?.open ?? 0) + (matched ?? 0)
  const [wrong, setWrong] = useState<{ name: string; said: string }[]>([])
  const [unknown, setUnknown] = useState<{ name: string; text: string } | null>(null)
  const [shown, setShown] = useState<'rules' | 'books' | null>(null)
  const { data: meta } = useMeta()
  const take = async (name: string, text: string, mapping?: Mapping) => {
    const made = await bringIn(account, text, name, mapping)
    toast.success(t(made._made ? 'bank.brought' : 'bank.nothingNew', { name }))
    await queryClient.invalidateQueries({ queryKey: ['bank', 'accounts'] })
    renew()
  }
  const bring = async (files: FileList | null) => {
    if (!files?.length) return
    setBusy(true)
    setWrong([])
    for (const f of Array.from(files)) {
      const text = decode(await f.arrayBuffer())
      if (text.includes('\0')) { setWrong((w) => [...w, { name: f.name, said: t('bank.notText') }]); continue }
      try { await take(f.name, text) } catch (e) {
        if (isUnknownTable(e)) setUnknown({ name: f.name, text })
        else setWrong((w) => [...w, { name: f.name, said: messageOf(e) }])
      }
    }
    setBusy(false)
    if (file.current) file.current.value = ''
  }
  const sure = async () => {
    setBusy(true)
    try {
      const answer = await takeAll(account.id)
      if (answer.job) toast(t('bank.begun'))
      const result = answer.job ? ((await follow(answer.job)) as { result?: { done?: number } }).result : answer
      toast.success(t('bank.taken', { count: result?.done ?? 0 }))
    } catch (e) { toast.error(messageOf(e)) }
    setBusy(false)
    renew()
  }
  return (
    <>
      <div className="bank-standing">
        <div className="bank-progress"><Progress done={matched ?? 0} total={total} label={t('bank.progress')} /></div>
        <span className="text-muted text-xs">{t('bank.matchedOf', { n: matched ?? 0, all: total })}</span>
        {stand && <button type="button" className={clsx('btn ghost sm tabular-nums', stand.difference === '0' && 'text-muted')} onClick={() => setShown('books')}>{t('bank.difference', { amount: formatMoney(stand.difference, locale, account.currency) })}</button>}
      </div>
      <Link className="btn ghost no-underline" to="/o/$entity" params={{ entity: LINES }} search={{}}>{t('bank.allLines')}</Link>
      {meta?.entities[RULES] && <button type="button" className="btn ghost" onClick={() => setShown('rules')}><Zap size={15} aria-hidden="true" />{t('bank.rules')}</button>}
      <input ref={file} type="file" multiple hidden accept=".xml,.csv,.txt,.sta,.940,.mt940" aria-label={t('bank.bring')} onChange={(e) => void bring(e.target.files)} />
      <button type="button" className="btn" disabled={busy} onClick={() => file.current?.click()}><FileUp size={15} aria-hidden="true" />{t('bank.bring')}</button>
      <button type="button" className="btn" disabled={busy || !open?.open} onClick={() => void sure()}><CheckCheck size={15} aria-hidden="true" />{t('bank.takeSure')}</button>
      {wrong.length > 0 && (
        <div className="note bad bank-wrong" role="alert">
          <ul className="list-none m-0 p-0 flex-1 min-w-0 bank-words">{wrong.map((w, i) => <li key={i}><strong>{w.name}:</strong> {w.said}</li>)}</ul>
          <button type="button" className="btn ghost icon sm" aria-label={t('close')} onClick={() => setWrong([])}><X size={15} /></button>
        </div>
      )}
      <Suspense fallback={null}>
        {unknown && <Columns name={unknown.name} text={unknown.text} onTake={(mapping) => take(unknown.name, unknown.text, mapping)} onClose={() => setUnknown(null)} />}
        {shown === 'rules' && <RulesDialog account={account} onClose={() => setShown(null)} />}
        {shown === 'books' && <Books account={account} onClose={() => setShown(null)} />}
      </Suspense>
    </>
  )
}

function Work({ account }: { account: Account }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [held, setHeld] = useState<string | null>(null)
  const [shown, setShown] = useState(false)
  const [rule, setRule] = useState<MatchRule | null>(null)
  const { data: meta } = useMeta()
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set())
  const last = useRef<string[]>([])
  const doing = useRef<Promise<unknown>>(Promise.resolve())
  const rows = useRef(new Map<string, HTMLButtonElement>())
  const finder = useRef<HTMLInputElement>(null)
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['bank', 'open', account.id], queryFn: () => openLines(account.id) })
  const { data: matched } = useQuery({ queryKey: ['bank', 'matched', account.id], queryFn: () => matchedCount(account.id) })
  const lines = (data?.lines ?? []).filter((l) => !gone.has(l.id))
  const at = Math.max(0, lines.findIndex((l) => l.id === held))
  const line = lines[at]
  const { data: found } = useQuery({ queryKey: ['bank', 'suggestions', line?.id], enabled: !!line, queryFn: () => suggestions(line!.id) })

  const go = (to: number) => { const l = lines[Math.max(0, Math.min(lines.length - 1, to))]; if (l) { setHeld(l.id); rows.current.get(l.id)?.focus() } }
  const back = async (id: string) => {
    await undoMatch(id)
    last.current = last.current.filter((x) => x !== id)
    setGone((g) => new Set([...g].filter((x) => x !== id)))
    setHeld(id)
    renew()
  }
  const take = async (of: Line, items: Item[]) => {
    // The next line takes its place under the fingers at once; a refusal brings it back.
    const next = lines[lines.indexOf(of) + 1] ?? lines[lines.indexOf(of) - 1]
    setGone((g) => new Set([...g, of.id]))
    setHeld(next?.id ?? null)
    setShown(false)
    if (next) rows.current.get(next.id)?.focus()
    const answer = match(of, items)
    doing.current = answer.catch(() => null)
    try {
      await answer
      last.current.push(of.id)
      done(t('bank.isMatched'), () => back(of.id))
    } catch (e) {
      setGone((g) => new Set([...g].filter((x) => x !== of.id)))
      setHeld(of.id)
      toast.error(messageOf(e))
    }
    renew()
  }
  const first = found?.[0]
  const takeFirst = () => { if (line && first?.rest === '0') void take(line, first.items) }
  // Also what is only on its way.
  const undoLatest = async () => {
    await doing.current
    const id = last.current.at(-1)
    if (id) await back(id).catch((e) => toast.error(messageOf(e)))
  }
  useKeys({ j: () => go(at + 1), k: () => go(at - 1), ArrowDown: () => go(at + (document.activeElement?.closest('[data-line]') ? 1 : 0)), ArrowUp: () => go(at - 1), '/': () => { setShown(true); finder.current?.focus() }, u: () => void undoLatest() })

  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (isPending) return <Skeleton />
  if (!lines.length) return <Empty icon={<ListChecks size={26} />} title={t(matched === 0 ? 'bank.noLines' : 'bank.allDone')} text={t(matched === 0 ? 'bank.noLinesText' : 'bank.allDoneText')} />
  return (
    <>
      <div className="flex-1 min-h-0 flex border-t border-line">
        <ul className={clsx('bank-lines', shown && 'max-md:hidden')} aria-label={t('bank.lines')}
          onKeyDown={(e) => { if (e.key === 'Enter' && !e.metaKey && !e.ctrlKey && innerWidth >= 768) { e.preventDefault(); takeFirst() } }}>
          {lines.map((l) => (
            <li key={l.id}>
              <button type="button" data-line={l.id} ref={(e) => { if (e) rows.current.set(l.id, e); else rows.current.delete(l.id) }} aria-current={l === line ? 'true' : undefined} onFocus={() => setHeld(l.id)} onClick={() => { setHeld(l.id); setShown(true) }}
                className="bank-line">
                <span className="text-muted text-xs bank-day">{formatDate(l.booked_on, locale)}</span>
                <span className="flex-1 min-w-0"><span className="block truncate font-medium">{l.counterparty || l.text || '—'}</span>{l.counterparty && <span className="block truncate text-muted text-xs">{l.text}</span>}</span>
                <span className="tabular-nums font-medium bank-amount">{formatMoney(l.amount, locale, l.currency)}</span>
              </button>
            </li>
          ))}
        </ul>
        <section className={clsx('flex-1 min-w-0 overflow-auto p-5', !shown && 'max-md:hidden')} aria-label={t('bank.line')}>
          <button type="button" className="btn ghost bank-back" onClick={() => setShown(false)}><ArrowLeft size={15} aria-hidden="true" />{t('bank.lines')}</button>
          {line && <LineDesk key={line.id} line={line} found={found} finder={finder} onTake={(items) => void take(line, items)} onRule={meta?.entities[RULES]?.can.create ? setRule : null} />}
        </section>
      </div>
      <Suspense fallback={null}>{rule && <RuleDialog rule={rule} account={account} onClose={() => { setRule(null); if (line) rows.current.get(line.id)?.focus() }} />}</Suspense>
      <div className="flex-none border-t border-line px-6 h-9 flex items-center gap-4 text-faint text-xs max-md:hidden">
        <span aria-hidden="true"><kbd className="kbd">↑</kbd> <kbd className="kbd">↓</kbd> {t('bank.hintMove')}</span><span aria-hidden="true"><kbd className="kbd">↵</kbd> {t('bank.hintTake')}</span><span aria-hidden="true"><kbd className="kbd">A</kbd> {t('bank.onAccount')}</span><span aria-hidden="true"><kbd className="kbd">P</kbd> {t('bank.inAdvance')}</span><span aria-hidden="true"><kbd className="kbd">R</kbd> {t('bank.makeRule')}</span><span aria-hidden="true"><kbd className="kbd">/</kbd> {t('bank.hintFind')}</span>
        <button type="button" className="btn ghost sm ms-auto" onClick={() => void undoLatest()}><Undo2 size={14} aria-hidden="true" />{t('undo')} <kbd className="kbd" aria-hidden="true">U</kbd></button>
      </div>
    </>
  )
}
