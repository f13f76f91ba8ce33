import { useQuery } from '@tanstack/react-query'
import { Hash, X } from 'lucide-react'
import { useEffect, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, messageOf, post } from '@/api/http'
import { usePeople } from '@/api/people'
import { queryClient, useSession } from '@/api/session'
import { toast } from '@/lib/toast'
import { Avatar, Dialog, Labelled } from '@/ui/basics'
import type { Conversation, Named } from './talk'

/** Colleagues, picked one by one: what is typed is looked for among all members. */
export function Picker({ picked, onChange, without = [], label }: { picked: Named[]; onChange: (p: Named[]) => void; without?: string[]; label: string }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const people = usePeople()
  const own = useId()
  const [text, setText] = useState('')
  const [asked, setAsked] = useState('')
  const [at, setAt] = useState(0)
  useEffect(() => { const timer = setTimeout(() => setAsked(text.trim()), 120); return () => clearTimeout(timer) }, [text])
  const { data, isFetching } = useQuery({ queryKey: ['colleagues', asked], staleTime: 60_000, placeholderData: (p) => p, queryFn: () => get<{ data: Named[] }>('/iam/memberships', { q: asked || undefined, status: 'active', fields: 'id,name', sort: 'name', limit: 20 }).then((r) => r.data) })
  const hidden = new Set([me?.user.id, ...without, ...picked.map((p) => p.id)])
  const found = (data ?? []).filter((p) => !hidden.has(p.id)).slice(0, 8)
  useEffect(() => setAt(0), [asked])
  const take = (p: Named | undefined) => { if (!p) return; onChange([...picked, { id: p.id, name: p.name }]); setText('') }
  return (
    <div>
      {picked.length > 0 && <ul className="list-none m-0 mb-2 p-0 flex flex-wrap gap-1.5" aria-label={t('messages.picked')}>{picked.map((p) => (
        <li key={p.id} className="chip plain gray !h-7">{p.name}<button type="button" className="border-0 bg-transparent p-0.5 flex" aria-label={t('removeNamed', { name: p.name })} onClick={() => onChange(picked.filter((x) => x.id !== p.id))}><X size={13} /></button></li>
      ))}</ul>}
      <input className="input" role="combobox" aria-label={label} aria-expanded={found.length > 0} aria-controls={own} aria-autocomplete="list" aria-activedescendant={found[at] ? `${own}${at}` : undefined} placeholder={label} value={text} onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); if (found.length) setAt((at + (e.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length) }
          else if (e.key === 'Enter' && !e.metaKey && !e.ctrlKey && found[at] && (text || !picked.length)) { e.preventDefault(); take(found[at]) }
          else if (e.key === 'Backspace' && !text && picked.length) onChange(picked.slice(0, -1))
        }} />
      <div id={own} role="listbox" aria-label={label} className="mt-1 overflow-auto" style={{ maxBlockSize: 220 }}>
        {found.map((p, i) => <div key={p.id} id={`${own}${i}`} role="option" tabIndex={-1} aria-selected={i === at} data-selected={i === at} className="item" onMouseDown={(e) => { e.preventDefault(); take(p) }} onMouseEnter={() => setAt(i)}><Avatar name={p.name} size={22} src={people.find((x) => x.id === p.id)?.picture} /><span className="truncate">{p.name}</span></div>)}
      </div>
      {!isFetching && data && found.length === 0 && <p className="m-0 mt-1 text-muted" role="status">{t(text ? 'nothingFound' : 'messages.nobodyLeft')}</p>}
    </div>
  )
}

const WAYS = ['people', 'channel', 'join'] as const

/** One colleague is a conversation of two, several are a group; a channel has a name, and may be open to all. */
export function Begin({ onClose, onBegun }: { onClose: () => void; onBegun: (c: Conversation) => void }) {
  const { t } = useTranslation()
  const [way, setWay] = useState<(typeof WAYS)[number]>('people')
  const [picked, setPicked] = useState<Named[]>([])
  const [name, setName] = useState('')
  const [open, setOpen] = useState(true)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const channels = useQuery({ queryKey: ['conversations', 'open'], enabled: way === 'join', staleTime: 0, gcTime: 0, queryFn: () => get<{ data: Conversation[] }>('/conversations/open').then((r) => r.data) })
  const run = async (work: () => Promise<Conversation>) => {
    setBusy(true); setProblem('')
    try { const made = await work(); await queryClient.invalidateQueries({ queryKey: ['conversations'] }); onBegun(made) } catch (e) { setProblem(messageOf(e)) } finally { setBusy(false) }
  }
  const members = picked.map((p) => p.id)
  const begin = () => run(() => post<Conversation>('/conversations', way === 'channel' ? { kind: 'channel', name, open, members } : picked.length === 1 && !name.trim() ? { kind: 'direct', members } : { kind: 'group', members, ...(name.trim() ? { name } : {}) }))
  const ready = way === 'channel' ? !!name.trim() : way === 'people' && picked.length > 0
  return (
    <Dialog title={t('messages.new')} width={460} onClose={onClose} onSubmit={() => { if (ready && !busy) void begin() }} footer={way !== 'join' && <>
      <button type="button" className="btn" onClick={onClose}>{t('cancel')}</button>
      <button type="submit" className="btn primary" disabled={!ready || busy} aria-busy={busy}>{t('messages.begin')}</button></>}>
      <div className="flex gap-1 mb-3 flex-wrap" role="group" aria-label={t('messages.new')}>{WAYS.map((w) => <button key={w} type="button" className={way === w ? 'btn sm on' : 'btn sm ghost'} aria-pressed={way === w} onClick={() => { setWay(w); setProblem('') }}>{t(`messages.way_${w}`)}</button>)}</div>
      {problem && <p role="alert" className="field-error m-0 mb-2">{problem}</p>}
      {way === 'channel' && <>
        <Labelled label={t('name')} required>{(p) => <input {...p} className="input" maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />}</Labelled>
        <label className="flex items-center gap-2 min-h-8 my-2"><input type="checkbox" checked={open} onChange={(e) => setOpen(e.target.checked)} />{t('messages.isOpen')}</label>
      </>}
      {way === 'join' ? (
        <ul className="list-none m-0 p-0">
          {(channels.data ?? []).map((c) => <li key={c.id} className="flex items-center gap-2 min-h-9"><Hash size={15} className="text-muted" aria-hidden="true" /><span className="flex-1 truncate">{c.name}</span><button type="button" className="btn sm" disabled={busy} aria-label={t('messages.joinNamed', { name: c.name })} onClick={() => void run(() => post<Conversation>(`/conversations/${c.id}/join`))}>{t('messages.join')}</button></li>)}
          {channels.data?.length === 0 && <li className="text-muted">{t('messages.noChannels')}</li>}
        </ul>
      ) : <Picker picked={picked} onChange={setPicked} label={t('messages.who')} />}
      {way === 'people' && picked.length > 1 && <Labelled label={t('messages.groupName')} className="mt-3">{(p) => <input {...p} className="input" maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />}</Labelled>}
    </Dialog>
  )
}

/** Who is in it, until where each has read; who keeps it brings others in and takes them out. */
export function Members({ c, onClose }: { c: Conversation; onClose: () => void }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const people = usePeople()
  const [picked, setPicked] = useState<Named[]>([])
  const keeps = c.keeper && c.kind !== 'direct'
  const members = c.members ?? []
  const attempt = async (work: () => Promise<unknown>) => { try { await work(); await queryClient.invalidateQueries({ queryKey: ['conversation', c.id] }) } catch (e) { toast.error(messageOf(e)) } }
  return (
    <Dialog title={t('messages.members', { count: c.count })} width={440} onClose={onClose}>
      {keeps && <div className="mb-3"><Picker picked={picked} onChange={setPicked} without={members.map((m) => m.id)} label={t('messages.add')} />
        {picked.length > 0 && <button type="button" className="btn primary mt-2" onClick={() => void attempt(async () => { await post(`/conversations/${c.id}/members`, { members: picked.map((p) => p.id) }); setPicked([]) })}>{t('messages.bringIn')}</button>}</div>}
      <ul className="list-none m-0 p-0">
        {members.map((m) => (
          <li key={m.id} className="flex items-center gap-2 min-h-9">
            <Avatar name={m.name} size={24} src={people.find((p) => p.id === m.id)?.picture} /><span className="flex-1 truncate">{m.name}</span>
            {m.keeper && c.kind !== 'direct' && <span className="text-faint text-xs">{t('messages.keeps')}</span>}
            {m.id !== me?.user.id && <span className="text-faint text-xs">{m.read_number >= c.last_number ? t('messages.readAll') : t('messages.behind', { count: c.last_number - m.read_number })}</span>}
            {keeps && m.id !== me?.user.id && <button type="button" className="btn ghost icon sm" aria-label={t('removeNamed', { name: m.name })} onClick={() => void attempt(() => post(`/conversations/${c.id}/leave`, { member: m.id }))}><X size={14} /></button>}
          </li>
        ))}
      </ul>
    </Dialog>
  )
}
