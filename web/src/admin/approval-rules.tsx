import { useQuery } from '@tanstack/react-query'
import { CheckCheck, Ellipsis, Plus } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSubject } from '@/approvals/parts'
import { del, get, messageOf, put } from '@/api/http'
import { usePeople } from '@/api/people'
import { useManages } from '@/api/session'
import { toast } from '@/lib/toast'
import { done } from '@/lib/undo'
import type { Condition } from '@/meta/types'
import { Chip, Confirm, Empty, Failure, Menu, Skeleton } from '@/ui/basics'
import { Section } from './layout'
import { rolesQuery } from '@/api/roles'

const RuleDialog = lazy(() => import('./rule-dialog').then((m) => ({ default: m.RuleDialog })))

export interface Level { name?: string; people: string[]; roles: string[]; manager: boolean; quorum?: number | null; due_hours?: number | null; escalate?: { people: string[]; roles: string[] } | null }
export interface Rule { id: string; name: string; entity: string; action: string; condition: Condition | null; levels: Level[]; position: number; is_active: boolean; on_reject: string | null; on_return: string | null; version?: number }

/** A rule as it is sent: without what the server adds. */
export const wire = (r: Rule): Omit<Rule, 'id' | 'version'> => ({ name: r.name, entity: r.entity, action: r.action, condition: r.condition, levels: r.levels, position: r.position, is_active: r.is_active, on_reject: r.on_reject, on_return: r.on_return })

export function ApprovalRules() {
  const { t } = useTranslation()
  const manages = useManages()
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['approval-rules'], enabled: manages, queryFn: () => get<{ data: Rule[] }>('/approval-rules').then((r) => r.data) })
  const [editing, setEditing] = useState<Rule | 'new' | null>(null)
  const [dropping, setDropping] = useState<Rule | null>(null)
  const add = manages && <button type="button" className="btn primary" onClick={() => setEditing('new')}><Plus size={15} />{t('rules.new')}</button>
  const rest = async (r: Rule) => {
    const set = async (is_active: boolean) => { await put(`/approval-rules/${r.id}`, { ...wire(r), is_active }); await refetch() }
    try { await set(!r.is_active); done(t('changed', { field: r.name }), () => set(r.is_active)) } catch (e) { toast.error(messageOf(e)) }
  }
  return (
    <Section wide title={t('settings.approvals')} text={t('rules.text')} actions={add}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : data.length === 0 ? <Empty icon={<CheckCheck size={26} />} title={t('rules.none')} text={t('rules.noneText')} /> : (
        <ul className="list-none m-0 p-0 max-w-[900px]">
          {data.map((r) => <Item key={r.id} rule={r} menu={<Menu align="end" trigger={<button type="button" className="btn ghost icon sm" aria-label={t('members.menu', { name: r.name })}><Ellipsis size={16} /></button>} items={[
            { label: t('edit'), onSelect: () => setEditing(r) },
            { label: t(r.is_active ? 'rules.pause' : 'rules.resume'), onSelect: () => void rest(r) },
            'rule', { label: t('delete'), danger: true, onSelect: () => setDropping(r) },
          ]} />} onOpen={() => setEditing(r)} />)}
        </ul>
      )}
      <Suspense fallback={null}>{editing && <RuleDialog rule={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onDone={() => void refetch()} />}</Suspense>
      {dropping && <Confirm title={t('rules.dropTitle', { name: dropping.name })} text={t('rules.dropText')} action={t('delete')} danger onClose={() => setDropping(null)} onConfirm={() => void del(`/approval-rules/${dropping.id}`).then(() => { done(t('deleted', { name: dropping.name })); return refetch() }).catch((e) => toast.error(messageOf(e)))} />}
    </Section>
  )
}

function Item({ rule: r, menu, onOpen }: { rule: Rule; menu: React.ReactNode; onOpen: () => void }) {
  const { t } = useTranslation()
  const people = usePeople()
  const { data: roles } = useQuery({ ...rolesQuery, retry: false })
  const subject = useSubject(r.entity, r.action)
  const who = (l: Level) => [...l.people.map((id) => people.find((p) => p.id === id)?.name ?? '…'), ...l.roles.map((n) => roles?.find((x) => x.name === n)?.label || n), ...(l.manager ? [t('rules.manager')] : [])].join(', ')
  return (
    <li className="flex items-start gap-3 border-b border-line py-2.5">
      <button type="button" className="flex-1 min-w-0 text-start border-0 bg-transparent p-0" onClick={onOpen}>
        <span className="flex flex-wrap items-center gap-2"><strong className="font-semibold">{r.name}</strong><span className="text-muted">{subject.action} · {subject.entity}</span>{!r.is_active && <Chip option={{ id: 'off', label: t('rules.paused'), color: 'gray' }} />}{r.condition && r.condition.rules?.length > 0 && <Chip plain option={{ id: 'if', label: t('filter.group', { count: r.condition.rules.length }), color: 'blue' }} />}</span>
        <span className="block text-muted mt-0.5">{r.levels.map((l) => `${l.name ? `${l.name}: ` : ''}${who(l)}`).join(' → ')}</span>
      </button>
      {menu}
    </li>
  )
}
