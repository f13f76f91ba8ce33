import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Archive, ArrowLeft, BellOff, BellRing, DoorOpen, Ellipsis, Pencil, Users } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, patch, post, Problem } from '@/api/http'
import { usePeople } from '@/api/people'
import { queryClient, useSession } from '@/api/session'
import { toast } from '@/lib/toast'
import { Confirm, Dialog, Empty, Failure, Labelled, Menu, Skeleton } from '@/ui/basics'
import { Members } from './begin'
import { Composer } from './composer'
import { Face } from './page'
import { stillNamed } from './message'
import { conversationQuery, drafts, isNothing, nameOf, unsents, type Conversation, type Draft, type Message, type Unsent } from './talk'
import { Thread } from './thread'

/** One conversation: who is in it, what was written, and the field for what is to be. */
export function Pane({ id, at, narrow }: { id: string; at: number | undefined; narrow: boolean }) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({ ...conversationQuery(id), retry: (n, e) => !(e instanceof Problem && e.status < 500) && n < 2 })
  if (error instanceof Problem && error.status === 404) return <div className="flex-1 grid place-items-center"><Empty title={t('messages.notThere')} text={t('messages.notThereText')}><Link className="btn" to="/messages/{-$id}" params={{ id: undefined }} search={{}}>{t('messages.title')}</Link></Empty></div>
  if (error && !data) return <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
  if (!data) return <div className="flex-1"><Skeleton rows={8} /></div>
  return <Open c={data} at={at} narrow={narrow} />
}

function Open({ c, at, narrow }: { c: Conversation; at: number | undefined; narrow: boolean }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { me } = useSession()
  const people = usePeople()
  const own = me?.user.id
  const key = `${own}:${c.id}`
  const [draft, setDraft] = useState<Draft>(() => drafts.load(key))
  const [unsent, setUnsent] = useState<Unsent[]>(() => unsents.load(key).map((u) => ({ ...u, error: u.error ?? t('messages.broken') })))
  const [editing, setEditing] = useState<string | null>(null)
  const [members, setMembers] = useState(false)
  const [renaming, setRenaming] = useState<string | null>(null)
  const [leaving, setLeaving] = useState(false)
  const [thread, setThread] = useState<string | null>(null)
  const name = nameOf(c, t('messages.alone'))
  const keep = (d: Draft) => { setDraft(d); drafts.store(key, isNothing(d) ? null : d) }
  const hold = useCallback((change: (all: Unsent[]) => Unsent[]) => setUnsent((old) => { const next = change(old); unsents.store(key, next.length ? next : null); return next }), [key])
  const arrived = useCallback((sent: string) => hold((all) => all.filter((x) => x.id !== sent)), [hold])
  const send = async (u: Unsent) => {
    hold((all) => [...all.filter((x) => x.id !== u.id), { ...u, error: undefined } as Unsent])
    try {
      await post<Message>(`/conversations/${c.id}/messages`, { id: u.id, body: u.body, mentions: stillNamed(u.body, u.mentions), files: u.files.map((f) => f.id), ...(u.parent ? { parent_id: u.parent.id } : {}) })
      await queryClient.invalidateQueries({ queryKey: ['conversation', c.id] })
      arrived(u.id)
      void queryClient.invalidateQueries({ queryKey: ['conversations'] })
    } catch (e) { hold((all) => all.map((x) => (x.id === u.id ? { ...x, error: messageOf(e) } : x))) }
  }
  const write = (d: Draft) => void send({ id: crypto.randomUUID(), body: d.text.trim(), mentions: d.mentions, parent: d.parent, files: d.files, at: new Date().toISOString() })
  const attempt = async (work: () => Promise<unknown>) => { try { await work(); await Promise.all(['conversation', 'conversations'].map((k) => queryClient.invalidateQueries({ queryKey: [k] }))) } catch (e) { toast.error(messageOf(e)) } }
  const change = (part: Partial<{ muted: boolean; archived: boolean; open: boolean; name: string }>) => attempt(() => patch(`/conversations/${c.id}`, part))
  const leave = () => attempt(async () => { await post(`/conversations/${c.id}/leave`); void navigate({ to: '/messages/{-$id}', params: { id: undefined }, search: {} }) })
  const keeps = c.keeper && c.kind !== 'direct'
  // On a phone it stands alone.
  const Heading = narrow ? 'h1' : 'h2'
  return (
    <section className="flex-1 min-w-0 min-h-0 flex flex-col" aria-label={t('messages.with', { name })}>
      <header className="flex items-center gap-2 h-12 px-3 border-b border-line flex-none">
        {narrow && <Link to="/messages/{-$id}" params={{ id: undefined }} search={{}} className="btn ghost icon" aria-label={t('messages.back')}><ArrowLeft size={17} className="rtl:scale-x-[-1]" /></Link>}
        <Face c={c} people={people} size={26} />
        <Heading className="m-0 text-base font-semibold truncate flex-1">{name}</Heading>
        {c.archived && <span className="chip gray plain">{t('messages.isArchived')}</span>}
        <button type="button" className="btn ghost sm" aria-label={t('messages.members', { count: c.count })} title={t('messages.members', { count: c.count })} onClick={() => setMembers(true)}><Users size={15} aria-hidden="true" /><span className="num">{c.count}</span></button>
        <Menu align="end" items={[
          { label: t(c.muted ? 'messages.unmute' : 'messages.mute'), icon: c.muted ? <BellRing size={15} /> : <BellOff size={15} />, onSelect: () => void change({ muted: !c.muted }) },
          keeps && { label: t('messages.rename'), icon: <Pencil size={15} />, onSelect: () => setRenaming(c.name ?? '') },
          keeps && c.kind === 'channel' && { label: t(c.open ? 'messages.makePrivate' : 'messages.makeOpen'), icon: <Users size={15} />, onSelect: () => void change({ open: !c.open }) },
          keeps && { label: t(c.archived ? 'messages.unarchive' : 'messages.archive'), icon: <Archive size={15} />, onSelect: () => void change({ archived: !c.archived }) },
          c.kind !== 'direct' && { label: t('messages.leave'), icon: <DoorOpen size={15} />, danger: true, onSelect: () => setLeaving(true) },
        ]} trigger={<button type="button" className="btn ghost icon" aria-label={t('moreActions')}><Ellipsis size={17} /></button>} />
      </header>
      {thread && <div className="flex items-center gap-2 px-4 py-1.5 border-b border-line bg-raised"><span className="flex-1 text-muted">{t('messages.thread')}</span><button type="button" className="btn sm" onClick={() => setThread(null)}>{t('messages.wholeTalk')}</button></div>}
      <Thread key={thread ?? ''} c={c} at={at} thread={thread} unsent={thread ? [] : unsent} editing={editing} onEdit={setEditing} onThread={setThread}
        onReply={(m) => keep({ ...draft, parent: { id: m.id, number: m.number, author: m.author, body: m.body ?? '', deleted: false } })}
        onAgain={(u) => void send(u)} onArrived={arrived} onBack={(u) => { arrived(u.id); keep({ text: u.body, mentions: u.mentions, files: u.files, parent: u.parent }) }} />
      <div className="flex-none border-t border-line p-3 no-print">
        {c.archived ? <p className="m-0 text-muted">{t('messages.archivedText')}</p>
          : <Composer members={(c.members ?? []).filter((m) => m.id !== own)} draft={draft} onDraft={keep} onSend={write} label={t('messages.write', { name })} onUp={() => dispatchEvent(new CustomEvent('fondaco:edit-last'))} />}
      </div>
      {members && <Members c={c} onClose={() => setMembers(false)} />}
      {renaming !== null && <Dialog title={t('messages.rename')} width={400} onClose={() => setRenaming(null)} onSubmit={() => { void change({ name: renaming }); setRenaming(null) }} footer={<><button type="button" className="btn" onClick={() => setRenaming(null)}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={c.kind === 'channel' && !renaming.trim()}>{t('save')}</button></>}>
        <Labelled label={t('name')}>{(p) => <input {...p} className="input" maxLength={100} value={renaming} onChange={(e) => setRenaming(e.target.value)} />}</Labelled>
      </Dialog>}
      {leaving && <Confirm title={t('messages.leaveTitle', { name })} text={t(c.open ? 'messages.leaveOpen' : 'messages.leaveText')} action={t('messages.leave')} danger onClose={() => setLeaving(false)} onConfirm={() => void leave()} />}
    </section>
  )
}
