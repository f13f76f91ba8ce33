import { useQuery } from '@tanstack/react-query'
import { ChevronDown, ChevronRight, Pencil } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { patch } from '@/api/http'
import { membersQuery, usePeople, type Member } from '@/api/people'
import { rolesQuery } from '@/api/roles'
import { fullName, queryClient, useManages } from '@/api/session'
import { done } from '@/lib/undo'
import { useSubmit } from '@/lib/useForm'
import { Avatar, Dialog, Failure, Labelled, Skeleton } from '@/ui/basics'
import { Section } from './layout'

/** Whom each leads; first those whom nobody leads who is still here. */
function teamsOf(members: Member[]): Map<string | null, Member[]> {
  const here = new Set(members.map((m) => m.id))
  const teams = new Map<string | null, Member[]>()
  for (const m of members) {
    const by = m.manager_id && here.has(m.manager_id) ? m.manager_id : null
    teams.set(by, [...(teams.get(by) ?? []), m])
  }
  return teams
}
function everyoneUnder(id: string, teams: Map<string | null, Member[]>): Set<string> {
  const all = new Set<string>()
  for (const next = [id]; next.length;) for (const m of teams.get(next.pop()!) ?? []) if (!all.has(m.id)) { all.add(m.id); next.push(m.id) }
  return all
}
const lead = (id: string, by: string | null) => patch(`/members/${id}`, { manager_id: by }).then(() => queryClient.invalidateQueries({ queryKey: ['members'] }))

export function Teams() {
  const { t } = useTranslation()
  const { data, error, isPending, refetch } = useQuery(membersQuery)
  const teams = useMemo(() => teamsOf(data ?? []), [data])
  const [moving, setMoving] = useState<Member | null>(null)
  return (
    <Section title={t('settings.teams')} text={t('teams.text')}>
      {error ? <Failure error={error} retry={() => void refetch()} /> : isPending ? <Skeleton /> : <Led by={null} teams={teams} onMove={setMoving} />}
      {moving && data && <Move member={moving} members={data} teams={teams} onClose={() => setMoving(null)} />}
    </Section>
  )
}

function Led({ by, teams, onMove }: { by: Member | null; teams: Map<string | null, Member[]>; onMove: (m: Member) => void }) {
  const { t } = useTranslation()
  return (
    <ul className={by ? 'list-none m-0 ps-6 border-s border-line ms-3' : 'list-none m-0 p-0'} aria-label={by ? t('teams.of', { name: fullName(by) }) : t('settings.teams')}>
      {teams.get(by?.id ?? null)?.map((m) => <Node key={m.id} member={m} teams={teams} onMove={onMove} />)}
    </ul>
  )
}

function Node({ member: m, teams, onMove }: { member: Member; teams: Map<string | null, Member[]>; onMove: (m: Member) => void }) {
  const { t } = useTranslation()
  const manages = useManages()
  const people = usePeople()
  const { data: roles } = useQuery({ ...rolesQuery, retry: false })
  const [open, setOpen] = useState(true)
  const name = fullName(m)
  const count = everyoneUnder(m.id, teams).size
  const Arrow = open ? ChevronDown : ChevronRight
  return (
    <li>
      <div className="flex items-center gap-2.5 min-h-11 group">
        {count ? <button type="button" className="btn ghost icon sm" aria-expanded={open} aria-label={t('teams.of', { name })} onClick={() => setOpen(!open)}><Arrow size={15} className="rtl:-scale-x-100" /></button> : <span className="w-7 flex-none" />}
        <Avatar name={name} size={26} src={people.find((x) => x.user === m.user_id)?.picture} />
        <span className="min-w-0"><span className="block font-medium leading-tight truncate">{name}</span><span className="block text-muted text-xs truncate">{[...m.roles.map((r) => roles?.find((x) => x.name === r)?.label ?? r), ...(count ? [t('teams.leads', { count })] : [])].join(' · ')}</span></span>
        {manages && <button type="button" className="btn ghost icon sm ms-auto" aria-label={t('teams.changeNamed', { name })} onClick={() => onMove(m)}><Pencil size={14} /></button>}
      </div>
      {count > 0 && open && <Led by={m} teams={teams} onMove={onMove} />}
    </li>
  )
}

function Move({ member, members, teams, onClose }: { member: Member; members: Member[]; teams: Map<string | null, Member[]>; onClose: () => void }) {
  const { t } = useTranslation()
  const under = everyoneUnder(member.id, teams)
  const before = member.manager_id ?? null
  const [by, setBy] = useState(before)
  const { submit, busy, message } = useSubmit(async () => {
    await lead(member.id, by)
    onClose()
    done(t('members.changed'), () => lead(member.id, before))
  })
  return (
    <Dialog title={fullName(member)} width={420} onClose={onClose} onSubmit={() => void submit()} footer={<><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy || by === before}>{t('save')}</button></>}>
      <Labelled label={t('teams.ledBy')} error={message || undefined} help={t('teams.ledByHelp')}>{(p) => <select {...p} className="input" autoFocus value={by ?? ''} onChange={(e) => setBy(e.target.value || null)}><option value="">{t('teams.nobody')}</option>{members.filter((m) => m.id !== member.id && !under.has(m.id) && (m.status === 'active' || m.id === before)).map((m) => <option key={m.id} value={m.id}>{fullName(m)}</option>)}</select>}</Labelled>
    </Dialog>
  )
}
