import { useQuery } from '@tanstack/react-query'
import { clsx } from 'clsx'
import { Pencil, Reply, Send, SmilePlus, Trash2 } from 'lucide-react'
import { Fragment, useEffect, useId, useMemo, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { del, get, messageOf, patch, post } from '@/api/http'
import { usePeople, type Person } from '@/api/people'
import { queryClient, useSession } from '@/api/session'
import { formatAgo, formatInstant, useLocale } from '@/lib/format'
import { MOD } from '@/lib/keys'
import { toast } from '@/lib/toast'
import { Avatar, Confirm, Empty, Failure, Popover, Skeleton } from '@/ui/basics'
import { commentsQuery, markSeen, unseen, type Comment, type Said } from './talk'
import { mentionAt, named, pieces, threads } from './words'

const SIGNS = ['👍', '❤️', '🎉', '😄', '👀', '✅']

interface Named { id: string; name: string }
/** What was begun and not sent outlives the tab, the panel and a slip of Escape. */
interface Draft { text: string; mentions: Named[] }
const drafts = new Map<string, Draft>()
const NOTHING: Draft = { text: '', mentions: [] }

/** On its way to the server, or refused by it. */
interface Pending { key: string; parent: string | null; draft: Draft; at: number; error?: string }

/** `only` names the threads that are wanted, where not all are: nothing new is begun there. */
export default function Comments({ entity, id, wide, only }: { entity: string; id: string; wide: boolean; only?: string[] }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const { data, error, isPending, refetch } = useQuery(commentsQuery(entity, id))
  const people = usePeople()
  const [sending, setSending] = useState<Pending[]>([])
  const [answering, setAnswering] = useState<string | null>(null)
  const own = me?.user.id
  const every = useMemo(() => threads(data?.data ?? []), [data])
  const all = only ? only.flatMap((root) => every.filter((x) => x.root.id === root)) : every
  // What was new when the tab was opened stays marked as new while it is read.
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set())
  const box = useRef<HTMLDivElement>(null)
  const placed = useRef(false)
  useEffect(() => {
    if (!data) return
    const news = unseen(data, own)
    if (news.length) { setFresh((f) => new Set([...f, ...news.map((c) => c.id)])); void markSeen(entity, id) }
    if (placed.current) return
    placed.current = true
    const first = news[0]?.id ?? data.data.at(-1)?.id
    if (first) box.current?.querySelector(`[data-comment="${first}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [data, own, entity, id])

  const send = async (p: Pending, again = false) => {
    setSending((old) => [...old.filter((x) => x.key !== p.key), { ...p, error: undefined } as Pending])
    const settled = () => setSending((old) => old.filter((x) => x.key !== p.key))
    try {
      if (again) {
        // The answer may have been lost on the way, not the comment.
        const now = await queryClient.fetchQuery({ ...commentsQuery(entity, id), staleTime: 0 })
        if (now.data.some((c) => c.created_by === own && c.body === p.draft.text.trim() && Date.parse(c.created_at) >= p.at)) { settled(); return }
      }
      const mentions = p.draft.mentions.filter((m) => named(p.draft.text, m.name)).map((m) => m.id)
      const made = await post<Comment>('/comments', { entity, record: id, body: p.draft.text, mentions, ...(p.parent ? { parent_id: p.parent } : {}) })
      settled()
      queryClient.setQueryData<Said>(commentsQuery(entity, id).queryKey, (old) => (old && !old.data.some((c) => c.id === made.id) ? { ...old, data: [...old.data, made] } : old))
      const left = p.draft.mentions.filter((m) => mentions.includes(m.id) && !made.mentions.includes(m.id) && m.id !== own)
      if (left.length) toast(t('comments.notTold', { names: left.map((m) => m.name).join(', ') }))
    } catch (e) {
      setSending((old) => old.map((x) => (x.key === p.key ? { ...x, error: messageOf(e) } : x)))
    }
  }
  const say = (parent: string | null) => (draft: Draft) => void send({ key: `${Date.now()}${Math.random()}`, parent, draft, at: Date.now() - 60_000 })
  const waiting = (parent: string | null) => sending.filter((p) => p.parent === parent).map((p) => (
    <Waiting key={p.key} pending={p} onAgain={() => void send(p, true)} onEdit={() => { drafts.set(keyOf(entity, id, parent), p.draft); setSending((old) => old.filter((x) => x.key !== p.key)); setAnswering(parent); dispatchEvent(new CustomEvent('fondaco:draft')) }} />
  ))

  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (isPending) return <Skeleton rows={4} />
  return (
    <div ref={box} className="flex flex-col flex-1">
      <div className={clsx('flex-1 p-4', wide && 'px-6 max-w-[760px]')}>
        {all.length === 0 && sending.length === 0 && !only && <Empty title={t('comments.none')} text={t('comments.noneText')} />}
        <ol className="list-none m-0 p-0 space-y-5" aria-label={t('record.comments')}>
          {all.map(({ root, answers }) => (
            <li key={root.id}>
              <Words comment={root} fresh={fresh.has(root.id)} people={people} own={own} entity={entity} id={id} onReply={() => setAnswering(root.id)} />
              {(answers.length > 0 || answering === root.id || sending.some((p) => p.parent === root.id)) && (
                <ol className="list-none m-0 mt-3 p-0 space-y-3 ms-3 ps-5 border-s border-line" aria-label={t('comments.answers')}>
                  {answers.map((c) => <li key={c.id}><Words comment={c} fresh={fresh.has(c.id)} people={people} own={own} entity={entity} id={id} onReply={() => setAnswering(root.id)} small /></li>)}
                  {waiting(root.id)}
                  {answering === root.id && <li><Composer entity={entity} id={id} parent={root.id} label={t('comments.answerTo', { name: root.author ?? '' })} onSend={(d) => { say(root.id)(d); setAnswering(null) }} onLeave={() => setAnswering(null)} focus /></li>}
                </ol>
              )}
            </li>
          ))}
          {waiting(null)}
        </ol>
      </div>
      {!only && <div className={clsx('sticky bottom-0 bg-surface border-t border-line p-3 no-print', wide && 'px-6')}>
        <div className={clsx(wide && 'max-w-[712px]')}><Composer entity={entity} id={id} parent={null} label={t('comments.write')} onSend={say(null)} /></div>
      </div>}
    </div>
  )
}

const keyOf = (entity: string, id: string, parent: string | null): string => `${entity}/${id}/${parent ?? ''}`

function Waiting({ pending: p, onAgain, onEdit }: { pending: Pending; onAgain: () => void; onEdit: () => void }) {
  const { t } = useTranslation()
  const { me } = useSession()
  const people = usePeople()
  const mine = people.find((x) => x.user === me?.user.id)
  return (
    <li className="flex gap-2.5" aria-busy={!p.error}>
      <Avatar name={mine?.name ?? ''} size={24} src={mine?.picture} />
      <div className="min-w-0 flex-1">
        <div className="text-muted" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{p.draft.text}</div>
        {p.error
          ? <div role="alert" className="mt-1 flex flex-wrap items-center gap-2"><span className="text-bad text-xs">{t('comments.notSent', { why: p.error })}</span><button type="button" className="btn sm" onClick={onAgain}>{t('retry')}</button><button type="button" className="btn ghost sm" onClick={onEdit}>{t('comments.back')}</button></div>
          : <div className="text-faint text-xs" role="status">{t('comments.sending')}</div>}
      </div>
    </li>
  )
}

function Words({ comment: c, people, own, entity, id, onReply, small, fresh }: { comment: Comment; people: Person[]; own: string | undefined; entity: string; id: string; onReply: () => void; small?: boolean; fresh: boolean }) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [editing, setEditing] = useState(false)
  const [dropping, setDropping] = useState(false)
  const who = people.find((p) => p.id === c.created_by)
  const name = who?.name ?? c.author ?? t('system')
  const key = commentsQuery(entity, id).queryKey
  const put = (change: (c: Comment) => Comment) => queryClient.setQueryData<Said>(key, (old) => (old ? { ...old, data: old.data.map((x) => (x.id === c.id ? change(x) : x)) } : old))
  const attempt = async (work: () => Promise<void>) => { try { await work() } catch (e) { toast.error(messageOf(e)); void queryClient.invalidateQueries({ queryKey: key }) } }
  const react = (sign: string) => void attempt(async () => {
    put((x) => ({ ...x, reactions: toggled(x.reactions, sign, own ?? '') }))
    const { reactions } = await post<{ reactions: Comment['reactions'] }>(`/comments/${c.id}/react`, { sign })
    put((x) => ({ ...x, reactions }))
  })
  if (c.deleted) return <div className="text-faint italic" data-comment={c.id}>{t('comments.gone')}</div>
  return (
    <article className={clsx('flex gap-2.5 group', fresh && 'ps-2 border-s-2 border-accent')} data-comment={c.id} aria-label={t('comments.of', { name })}>
      <Avatar name={name} size={small ? 20 : 24} src={who?.picture} />
      <div className="min-w-0 flex-1">
        <div className="flex items-center gap-1.5 min-h-6 flex-wrap">
          <strong className="font-semibold">{name}</strong>
          <time className="text-faint text-xs" dateTime={c.created_at} title={formatInstant(c.created_at, locale)}>{formatAgo(c.created_at, locale)}</time>
          {c.edited_at && <span className="text-faint text-xs" title={formatInstant(c.edited_at, locale)}>{t('comments.edited')}</span>}
          {fresh && <span className="text-xs font-medium" style={{ color: 'var(--accent-text)' }}>{t('comments.new')}</span>}
        </div>
        {editing
          ? <Composer entity={entity} id={id} parent={`edit/${c.id}`} start={{ text: c.body ?? '', mentions: [] }} label={t('comments.edit')} focus onLeave={() => setEditing(false)} onSend={(d) => {
            setEditing(false)
            void attempt(async () => { put((x) => ({ ...x, body: d.text.trim() })); const made = await patch<Comment>(`/comments/${c.id}`, { body: d.text }); put(() => made) })
          }} />
          : <div style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{shown(c.body ?? '', c.mentions.flatMap((m) => people.find((p) => p.id === m)?.name ?? []))}</div>}
        {!editing && (
          <div className="flex items-center gap-1 mt-1 flex-wrap no-print">
            {Object.entries(c.reactions).map(([sign, who]) => (
              <button key={sign} type="button" className="btn sm !h-6 !px-1.5 !rounded-full num" aria-pressed={who.includes(own ?? '')} style={who.includes(own ?? '') ? { background: 'var(--sel)', borderColor: 'var(--accent)' } : undefined} title={who.map((x) => people.find((p) => p.id === x)?.name ?? '…').join(', ')} aria-label={t('comments.sign', { sign, n: who.length })} onClick={() => react(sign)}>{sign} {who.length}</button>
            ))}
            <Signs onPick={react} name={name} />
            <button type="button" className="btn ghost icon sm !h-6 !w-6 text-muted" aria-label={t('comments.reply', { name })} title={t('comments.replyShort')} onClick={onReply}><Reply size={14} className="rtl:scale-x-[-1]" /></button>
            {c.created_by === own && <>
              <button type="button" className="btn ghost icon sm !h-6 !w-6 text-muted" aria-label={t('comments.edit')} title={t('edit')} onClick={() => setEditing(true)}><Pencil size={13} /></button>
              <button type="button" className="btn ghost icon sm !h-6 !w-6 text-muted" aria-label={t('comments.drop')} title={t('delete')} onClick={() => setDropping(true)}><Trash2 size={13} /></button>
            </>}
          </div>
        )}
        {dropping && <Confirm title={t('comments.dropTitle')} text={t('comments.dropText')} action={t('delete')} danger onClose={() => setDropping(false)} onConfirm={() => void attempt(async () => { await del(`/comments/${c.id}`); await queryClient.invalidateQueries({ queryKey: key }) })} />}
      </div>
    </article>
  )
}

export const toggled = (all: Comment['reactions'], sign: string, who: string): Comment['reactions'] => {
  const had = all[sign] ?? []
  const now = had.includes(who) ? had.filter((x) => x !== who) : [...had, who]
  const { [sign]: _, ...rest } = all
  return now.length ? { ...all, [sign]: now } : rest
}

export function Signs({ onPick, name }: { onPick: (sign: string) => void; name: string }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  return (
    <Popover width={238} label={t('comments.react', { name })} open={open} onOpenChange={setOpen} trigger={<button type="button" className="btn ghost icon sm !h-6 !w-6 text-muted" aria-label={t('comments.react', { name })} title={t('comments.reactShort')}><SmilePlus size={14} /></button>}>
      <div className="flex gap-0.5">{SIGNS.map((s) => <button key={s} type="button" className="btn ghost icon" style={{ fontSize: 16, width: 36 }} aria-label={s} onClick={() => { setOpen(false); onPick(s) }}>{s}</button>)}</div>
    </Popover>
  )
}

export function shown(body: string, names: string[]): ReactNode {
  return pieces(body, names).map((p, i) => <Fragment key={i}>{p.kind === 'mention' ? <span className="rounded px-0.5 font-medium" style={{ background: 'var(--sel)', color: 'var(--accent-text)' }}>{p.text}</span> : p.kind === 'link' ? <a className="link underline" href={p.text} target="_blank" rel="noreferrer nofollow">{p.text}</a> : p.text}</Fragment>)
}

/** A field that grows, names people after an @, and sends by a key of commands and Enter. */
function Composer({ entity, id, parent, label, onSend, onLeave, focus, start }: { entity: string; id: string; parent: string | null; label: string; onSend: (d: Draft) => void; onLeave?: () => void; focus?: boolean; start?: Draft }) {
  const { t } = useTranslation()
  const people = usePeople()
  const key = keyOf(entity, id, parent)
  const [draft, setDraft] = useState<Draft>(() => drafts.get(key) ?? start ?? NOTHING)
  const [caret, setCaret] = useState(0)
  const [closed, setClosed] = useState(-1)
  const [at, setAt] = useState(0)
  const own = useId()
  const field = useRef<HTMLTextAreaElement>(null)
  const goal = useRef<number | null>(null)
  const keep = (d: Draft) => { setDraft(d); if (d.text) drafts.set(key, d); else drafts.delete(key) }
  useEffect(() => {
    const back = () => { const d = drafts.get(key); if (d) { setDraft(d); field.current?.focus() } }
    addEventListener('fondaco:draft', back)
    return () => removeEventListener('fondaco:draft', back)
  }, [key])
  useEffect(() => {
    if (!focus || !field.current) return
    const end = field.current.value.length
    field.current.focus(); field.current.setSelectionRange(end, end); field.current.scrollIntoView({ block: 'nearest' })
  }, [focus])
  useEffect(() => {
    const f = field.current
    if (!f) return
    f.style.height = 'auto'
    f.style.height = `${Math.min(f.scrollHeight + 2, 220)}px`
    if (goal.current !== null) { f.setSelectionRange(goal.current, goal.current); goal.current = null }
  }, [draft.text])

  const mention = mentionAt(draft.text, caret)
  const open = !!mention && mention.from !== closed
  const { data: found, isFetching } = useQuery({
    queryKey: ['mentions', entity, id, mention?.text ?? ''], enabled: open, staleTime: 30_000, placeholderData: (p) => p,
    queryFn: () => get<{ data: Named[] }>('/comments/people', { entity, record: id, q: mention?.text }).then((r) => r.data),
  })
  const choices = open ? found ?? [] : []
  useEffect(() => setAt(0), [found, mention?.text])
  const take = (p: Named) => {
    if (!mention) return
    const text = `${draft.text.slice(0, mention.from)}@${p.name} ${draft.text.slice(caret)}`
    goal.current = mention.from + p.name.length + 2
    setCaret(goal.current)
    keep({ text, mentions: [...draft.mentions.filter((m) => m.id !== p.id), p] })
    field.current?.focus()
  }
  const send = () => {
    if (!draft.text.trim()) return
    drafts.delete(key)
    setDraft(NOTHING)
    onSend(draft)
  }
  return (
    <div className="relative">
      <textarea ref={field} className="input" rows={1} maxLength={10_000} style={{ resize: 'none', minHeight: 36 }} aria-label={label} placeholder={label} value={draft.text}
        aria-autocomplete="list" aria-controls={open ? own + 'l' : undefined} aria-activedescendant={choices[at] ? `${own}-${at}` : undefined}
        onChange={(e) => { setCaret(e.target.selectionStart); setClosed(-1); keep({ ...draft, text: e.target.value }) }}
        onSelect={(e) => setCaret(e.currentTarget.selectionStart)}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && (e.metaKey || e.ctrlKey)) { e.preventDefault(); e.stopPropagation(); send(); return }
          if (open && choices.length) {
            if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); e.stopPropagation(); setAt((i) => (i + (e.key === 'ArrowDown' ? 1 : choices.length - 1)) % choices.length); return }
            if ((e.key === 'Enter' || e.key === 'Tab') && choices[at]) { e.preventDefault(); e.stopPropagation(); take(choices[at]); return }
          }
          if (e.key === 'Escape') {
            if (open && mention) { e.preventDefault(); e.stopPropagation(); setClosed(mention.from) }
            else if (onLeave) { e.preventDefault(); e.stopPropagation(); onLeave() }
            // The words stay; the next Escape is for whatever lies around.
            else if (draft.text) { e.preventDefault(); e.stopPropagation(); e.currentTarget.blur() }
          }
        }} />
      {open && (
        <div className="pop absolute start-0 w-[260px]" style={{ bottom: '100%', marginBlockEnd: 4, zIndex: 30, maxHeight: 240, overflow: 'auto' }} onMouseDown={(e) => e.preventDefault()}>
          <div id={own + 'l'} role="listbox" aria-label={t('comments.people')}>
            {choices.map((p, i) => (
              <div key={p.id} id={`${own}-${i}`} role="option" tabIndex={-1} aria-selected={i === at} data-selected={i === at} className="item" onClick={() => take(p)} onMouseEnter={() => setAt(i)}>
                <Avatar name={p.name} src={people.find((x) => x.id === p.id)?.picture} /><span className="truncate">{p.name}</span>
              </div>
            ))}
          </div>
          {choices.length === 0 && <div className="px-2 py-1.5 text-muted" role="status">{isFetching ? t('loading') : t('comments.nobody')}</div>}
        </div>
      )}
      {(draft.text || onLeave) && (
        <div className="flex items-center gap-2 mt-1.5">
          <span className="text-faint text-xs flex-1">{t('comments.hint')}</span>
          {onLeave && <button type="button" className="btn ghost sm" onClick={onLeave}>{t('cancel')}</button>}
          <button type="button" className="btn primary sm" disabled={!draft.text.trim()} onClick={send}><Send size={13} className="rtl:scale-x-[-1]" aria-hidden="true" />{start ? t('save') : t('comments.send')}<kbd aria-hidden="true">{MOD}↵</kbd></button>
        </div>
      )}
    </div>
  )
}
