import { clsx } from 'clsx'
import { FileText, MessageSquareReply, Pencil, Reply, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fileUrl } from '@/api/files'
import { del, messageOf, patch, post } from '@/api/http'
import type { Person } from '@/api/people'
import { formatInstant, useLocale } from '@/lib/format'
import { toast } from '@/lib/toast'
import { shown, Signs, toggled } from '@/record/comments'
import { named } from '@/record/words'
import { Avatar, Confirm } from '@/ui/basics'
import { Composer } from './composer'
import { NOTHING, type Draft, type Member, type Message as Said, type Unsent } from './talk'

interface Props {
  m: Said; follows: boolean; own: string | undefined; people: Person[]; members: Member[]; lit: boolean; readonly: boolean; editing: boolean
  onEdit: (on: boolean) => void; onReply: () => void; onGo: (number: number) => void; onThread: (id: string) => void; onPut: (change: (m: Said) => Said) => void; onStale: () => void
}

export function Message({ m, follows, own, people, members, lit, readonly, editing, onEdit, onReply, onGo, onThread, onPut, onStale }: Props) {
  const { t } = useTranslation()
  const locale = useLocale()
  const [dropping, setDropping] = useState(false)
  const [draft, setDraft] = useState<Draft | null>(null)
  const who = people.find((p) => p.id === m.created_by)
  const name = who?.name ?? m.author ?? t('system')
  const time = new Intl.DateTimeFormat(locale.locale, { timeStyle: 'short', timeZone: locale.zone }).format(Date.parse(m.created_at))
  const attempt = async (work: () => Promise<void>) => { try { await work() } catch (e) { toast.error(messageOf(e)); onStale() } }
  const react = (sign: string) => void attempt(async () => {
    onPut((x) => ({ ...x, reactions: toggled(x.reactions, sign, own ?? '') }))
    const { reactions } = await post<{ reactions: Said['reactions'] }>(`/messages/${m.id}/react`, { sign })
    onPut((x) => ({ ...x, reactions }))
  })
  if (m.deleted) return <div className="msg text-faint italic"><span className="w-7 flex-none" />{t('messages.gone')}</div>
  return (
    <article className={clsx('msg', lit && 'lit')} aria-label={t('messages.of', { name })}>
      {follows ? <span className="w-7 flex-none" /> : <span className="pt-0.5"><Avatar name={name} size={28} src={who?.picture} /></span>}
      <div className="min-w-0 flex-1">
        {!follows && <div className="flex items-baseline gap-1.5 flex-wrap"><strong className="font-semibold">{name}</strong><time className="text-faint text-xs" dateTime={m.created_at} title={formatInstant(m.created_at, locale)}>{time}</time></div>}
        {m.parent && <button type="button" className="quote" onClick={() => onGo(m.parent!.number)}>{m.parent.author}: {m.parent.deleted ? t('messages.gone') : m.parent.body || t('messages.file')}</button>}
        {editing
          ? <Composer plain members={members} draft={draft ?? { ...NOTHING, text: m.body ?? '' }} onDraft={setDraft} label={t('messages.edit')} onLeave={() => { setDraft(null); onEdit(false) }} onSend={(d) => {
            onEdit(false); setDraft(null)
            void attempt(async () => { onPut((x) => ({ ...x, body: d.text.trim() })); const made = await patch<Said>(`/messages/${m.id}`, { body: d.text }); onPut(() => made) })
          }} />
          : m.body && <div title={formatInstant(m.created_at, locale)} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{shown(m.body, m.mentions.flatMap((id) => members.find((p) => p.id === id)?.name ?? []))}{m.edited_at && <span className="text-faint text-xs" title={formatInstant(m.edited_at, locale)}> {t('comments.edited')}</span>}</div>}
        {m.files.length > 0 && <ul className="list-none m-0 mt-1 p-0 flex flex-wrap gap-1.5">{m.files.map((f) => <li key={f.id}>{/^image\/(png|jpeg|gif|webp|avif)$/.test(f.type)
          ? <a href={fileUrl(f.id)} target="_blank" rel="noreferrer"><img className="shot" src={fileUrl(f.id)} alt={f.name} loading="lazy" /></a>
          : <a className="file" href={fileUrl(f.id)} target="_blank" rel="noreferrer"><FileText size={15} className="text-muted flex-none" aria-hidden="true" /><span className="truncate">{f.name}</span></a>}</li>)}</ul>}
        {(Object.keys(m.reactions).length > 0 || m.answers > 0) && <div className="flex items-center gap-1 mt-1 flex-wrap">
          {Object.entries(m.reactions).map(([sign, all]) => <button key={sign} type="button" className="btn sm !h-6 !px-1.5 !rounded-full num" disabled={readonly} aria-pressed={all.includes(own ?? '')} style={all.includes(own ?? '') ? { background: 'var(--sel)', borderColor: 'var(--accent)' } : undefined} title={all.map((x) => people.find((p) => p.id === x)?.name ?? members.find((p) => p.id === x)?.name ?? '…').join(', ')} aria-label={t('comments.sign', { sign, n: all.length })} onClick={() => react(sign)}>{sign} {all.length}</button>)}
          {m.answers > 0 && <button type="button" className="btn ghost sm !h-6 !px-1.5 text-muted" onClick={() => onThread(m.id)}><MessageSquareReply size={13} aria-hidden="true" />{t('messages.answers', { count: m.answers })}</button>}
        </div>}
      </div>
      {!readonly && !editing && <div className="tools no-print">
        <Signs onPick={react} name={name} />
        <button type="button" className="btn ghost icon sm !h-6 !w-6 text-muted" aria-label={t('comments.reply', { name })} title={t('comments.replyShort')} onClick={onReply}><Reply size={14} className="rtl:scale-x-[-1]" /></button>
        {m.created_by === own && <>
          <button type="button" className="btn ghost icon sm !h-6 !w-6 text-muted" aria-label={t('messages.edit')} title={t('edit')} onClick={() => onEdit(true)}><Pencil size={13} /></button>
          <button type="button" className="btn ghost icon sm !h-6 !w-6 text-muted" aria-label={t('messages.drop')} title={t('delete')} onClick={() => setDropping(true)}><Trash2 size={13} /></button>
        </>}
      </div>}
      {dropping && <Confirm title={t('messages.dropTitle')} text={t('messages.dropText')} action={t('delete')} danger onClose={() => setDropping(false)} onConfirm={() => void attempt(async () => { await del(`/messages/${m.id}`); onStale() })} />}
    </article>
  )
}

export function Waiting({ u, name, picture, onAgain, onEdit }: { u: Unsent; name: string; picture: string | undefined; onAgain: () => void; onEdit: () => void }) {
  const { t } = useTranslation()
  return (
    <div className="msg" aria-busy={!u.error}>
      <Avatar name={name} size={28} src={picture} />
      <div className="min-w-0 flex-1">
        <div className="text-muted" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{u.body}{u.files.map((f) => <span key={f.id} className="block">{f.name}</span>)}</div>
        {u.error
          ? <div role="alert" className="mt-1 flex flex-wrap items-center gap-2"><span className="text-bad text-xs">{t('comments.notSent', { why: u.error })}</span><button type="button" className="btn sm" onClick={onAgain}>{t('retry')}</button><button type="button" className="btn ghost sm" onClick={onEdit}>{t('comments.back')}</button></div>
          : <div className="text-faint text-xs" role="status">{t('comments.sending')}</div>}
      </div>
    </div>
  )
}

export const stillNamed = (text: string, all: Draft['mentions']): string[] => all.filter((m) => named(text, m.name)).map((m) => m.id)
