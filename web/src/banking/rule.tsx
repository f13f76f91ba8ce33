import { useQuery } from '@tanstack/react-query'
import { Ellipsis, Plus, Zap } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'
import { create, refresh, remove, restore, update } from '@/api/records'
import { queryClient } from '@/api/session'
import { typeOf } from '@/fields/registry'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { useEntity } from '@/meta/hooks'
import type { Condition, Field, Row } from '@/meta/types'
import { Chip, Dialog, Empty, Failure, Labelled, Menu, Skeleton } from '@/ui/basics'
import { ConditionTree } from '@/views/filter-tree'
import { ACCOUNT, ASKABLE, fits, LINES, PARTY, RULES, rules, TAX, treeOf, type Account, type MatchRule } from './model'

const renew = () => { refresh(RULES); void queryClient.invalidateQueries({ queryKey: ['bank', 'rules'] }); void queryClient.invalidateQueries({ queryKey: ['bank', 'suggestions'] }) }

/** What lines mean that look alike: which, and where they lead. How many of the open lines it speaks of is told while it is written. */
export function RuleDialog({ rule, row, account, onClose }: { rule: MatchRule; row?: Row | undefined; account: Account; onClose: () => void }) {
  const { t } = useTranslation()
  const { data: entity } = useEntity(LINES)
  const [r, setR] = useState(rule)
  const [asked, setAsked] = useState<Condition>(rule.condition)
  const change = (part: Partial<MatchRule>) => setR((old) => ({ ...old, ...part }))
  useEffect(() => { const timer = setTimeout(() => setAsked(r.condition), 300); return () => clearTimeout(timer) }, [r.condition])
  const { data: count } = useQuery({ queryKey: ['bank', 'fits', asked, r.bank_account_id], enabled: asked.rules.length > 0, retry: false, queryFn: () => fits(asked, r.bank_account_id) })
  const fields = ASKABLE.flatMap((n) => entity?.fields.find((f) => f.name === n) ?? [])
  const { submit, busy, errors, message } = useSubmit(async () => {
    const body = { ...r, name: r.name.trim(), tax_id: r.account_id ? r.tax_id : null }
    if (row) await update(RULES, row.id, row.version, body)
    else await create(RULES, body, crypto.randomUUID())
    done(t(row ? 'saved' : 'created', { name: body.name })); renew(); onClose()
  })
  const relation = (key: 'account_id' | 'party_id' | 'tax_id', field: Field, label: string) => (
    <Labelled label={t(label)} error={errors[key]}>{(p) => { const { Input } = typeOf(field); return <Input field={field} id={p.id} describedBy={p['aria-describedby']} invalid={!!errors[key]} value={r[key]} record={{}} onChange={(v) => change({ [key]: (v as string | null) || null })} /> }}</Labelled>
  )
  const placed = ['name', 'account_id', 'party_id', 'tax_id', 'memo'].some((k) => errors[k])
  return (
    <Dialog title={row ? t('editNamed', { name: rule.name }) : t('bank.newRule')} width={640} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || !r.name.trim() || !r.condition.rules.length || !(r.account_id || r.party_id)}>{t('save')}</button></>}>
      {message && !placed && <div className="note bad mb-4" role="alert">{message}</div>}
      <Labelled label={t('name')} required error={errors.name} className="mb-4">{(p) => <input {...p} className="input" maxLength={100} value={r.name} onChange={(e) => change({ name: e.target.value })} />}</Labelled>
      <fieldset className="border-0 p-0 m-0 mb-4">
        <legend className="field-label">{t('bank.ruleWhen')}</legend>
        {entity && fields.length > 0 ? <ConditionTree entity={entity} fields={fields} value={r.condition} onChange={(condition) => change({ condition })} /> : <Skeleton rows={2} />}
        <p className="m-0 mt-1 text-muted" role="status">{count === undefined || !r.condition.rules.length ? t('bank.ruleAsk') : t('bank.ruleFits', { count })}</p>
      </fieldset>
      <div className="grid sm:grid-cols-2 gap-4 mb-4">
        {relation('account_id', ACCOUNT, 'bank.ruleAccount')}
        {relation('party_id', PARTY, 'bank.ruleParty')}
        {r.account_id && relation('tax_id', TAX, 'bank.ruleTax')}
        <Labelled label={t('bank.ruleMemo')} error={errors.memo}>{(p) => <input {...p} className="input" maxLength={500} value={r.memo ?? ''} onChange={(e) => change({ memo: e.target.value || null })} />}</Labelled>
      </div>
      <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={r.bank_account_id !== null} onChange={(e) => change({ bank_account_id: e.target.checked ? account.id : null })} />{t('bank.ruleHere', { name: account.name })}</label>
      <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={r.is_sure} onChange={(e) => change({ is_sure: e.target.checked })} />{t('bank.ruleSure')}</label>
      <label className="flex items-center gap-2 min-h-8"><input type="checkbox" checked={r.is_active} onChange={(e) => change({ is_active: e.target.checked })} />{t('bank.ruleActive')}</label>
    </Dialog>
  )
}

const ruleOf = (row: Row): MatchRule => ({ ...(row as unknown as MatchRule), condition: treeOf(row.condition as Condition) })
const wire = (row: Row): MatchRule => { const { name, condition, account_id, party_id, tax_id, bank_account_id, memo, position, is_sure, is_active } = ruleOf(row); return { name, condition, account_id, party_id, tax_id, bank_account_id, memo, position, is_sure, is_active } }
const NEW = (account: Account): MatchRule => ({ name: '', condition: { operator: 'AND', rules: [] }, account_id: null, party_id: null, tax_id: null, bank_account_id: account.id, memo: null, position: 10, is_sure: false, is_active: true })

/** All rules, in the order in which they are asked: the first that fits is taken. */
export default function RulesDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useTranslation()
  const { data: own } = useEntity(RULES)
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['bank', 'rules'], queryFn: rules })
  const [editing, setEditing] = useState<Row | 'new' | null>(null)
  const drop = async (row: Row) => {
    try { await remove(RULES, row.id, row.version); done(t('deleted', { name: String(row.name) }), async () => { await restore(RULES, row.id); renew() }); renew() } catch (e) { toast.error(messageOf(e)) }
  }
  const move = async (i: number, by: -1 | 1) => {
    const order = [...data!]
    const [row] = order.splice(i, 1)
    order.splice(i + by, 0, row!)
    try { for (const [n, x] of order.entries()) if (x.position !== (n + 1) * 10) await update(RULES, x.id, x.version, { position: (n + 1) * 10 }) } catch (e) { toast.error(messageOf(e)) }
    renew()
  }
  const to = (r: Row) => ['account', 'party'].flatMap((k) => { const x = r[k] as { code?: string; name?: string } | null; return x ? [[x.code, x.name].filter(Boolean).join(' ')] : [] }).join(' · ')
  if (editing) return <RuleDialog rule={editing === 'new' ? NEW(account) : wire(editing)} row={editing === 'new' ? undefined : editing} account={account} onClose={() => setEditing(null)} />
  return (
    <Dialog title={t('bank.rules')} width={640} onClose={onClose} description={t('bank.rulesText')} footer={own?.can.create && <button type="button" className="btn primary" data-first="" onClick={() => setEditing('new')}><Plus size={15} aria-hidden="true" />{t('bank.newRule')}</button>}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : data.length === 0 ? <Empty icon={<Zap size={26} />} title={t('bank.noRules')} text={t('bank.noRulesText')} /> : (
        <ul className="list-none m-0 p-0" aria-label={t('bank.rules')}>
          {data.map((r, i) => (
            <li key={r.id} className="flex items-start gap-3 border-b border-line py-2.5">
              <button type="button" className="flex-1 min-w-0 text-start border-0 bg-transparent p-0" onClick={() => setEditing(r)}>
                <span className="flex flex-wrap items-center gap-2"><strong className="font-semibold">{String(r.name)}</strong>{r.is_sure === true && <Chip plain option={{ id: 'sure', label: t('bank.isSure'), color: 'green' }} />}{r.is_active !== true && <Chip option={{ id: 'off', label: t('rules.paused'), color: 'gray' }} />}</span>
                <span className="block text-muted mt-0.5">→ {to(r)}</span>
              </button>
              {own?.can.update && <Menu align="end" trigger={<button type="button" className="btn ghost icon sm" aria-label={t('members.menu', { name: String(r.name) })}><Ellipsis size={16} /></button>} items={[
                { label: t('edit'), onSelect: () => setEditing(r) },
                i > 0 && { label: t('bank.ruleUp'), onSelect: () => void move(i, -1) },
                i < data.length - 1 && { label: t('bank.ruleDown'), onSelect: () => void move(i, 1) },
                'rule', own.can.delete && { label: t('delete'), danger: true, onSelect: () => void drop(r) },
              ]} />}
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  )
}
