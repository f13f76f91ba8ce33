import { Paperclip, Send, X } from 'lucide-react'
import { useEffect, useId, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { uploadFile } from '@/api/files'
import { messageOf } from '@/api/http'
import { usePeople } from '@/api/people'
import { toast } from '@/lib/toast'
import { mentionAt } from '@/record/words'
import { Avatar } from '@/ui/basics'
import { NOTHING, type Draft, type Named } from './talk'

/** Enter sends, with Shift it is a new line; @ names somebody of the conversation; files come by the clip, by drop or paste. */
export function Composer({ members, draft, onDraft, onSend, onLeave, onUp, label, plain }: {
  members: Named[]; draft: Draft; onDraft: (d: Draft) => void; onSend: (d: Draft) => void; onLeave?: () => void; onUp?: () => void; label: string
  /** Words alone: what was sent is changed. */
  plain?: boolean
}) {
  const { t } = useTranslation()
  const people = usePeople()
  const own = useId()
  const field = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)
  const goal = useRef<number | null>(null)
  const [caret, setCaret] = useState(0)
  const [closed, setClosed] = useState(-1)
  const [at, setAt] = useState(0)
  const [loading, setLoading] = useState(0)
  const now = useRef(draft)
  now.current = draft
  useEffect(() => { if (matchMedia('(pointer:fine)').matches || plain) field.current?.focus({ preventScroll: true }) }, [plain])
  useEffect(() => { if (draft.parent) field.current?.focus() }, [draft.parent])
  useEffect(() => {
    const f = field.current
    if (!f) return
    f.style.height = 'auto'
    f.style.height = `${Math.min(f.scrollHeight + 2, 200)}px`
    if (goal.current !== null) { f.setSelectionRange(goal.current, goal.current); goal.current = null }
  }, [draft.text])
  const mention = mentionAt(draft.text, caret)
  const open = !!mention && mention.from !== closed
  const choices = open ? members.filter((m) => m.name.toLowerCase().split(' ').concat(m.name.toLowerCase()).some((w) => w.startsWith(mention.text.toLowerCase()))).slice(0, 8) : []
  const take = (p: Named | undefined) => {
    if (!p || !mention) return
    goal.current = mention.from + p.name.length + 2
    onDraft({ ...draft, text: `${draft.text.slice(0, mention.from)}@${p.name} ${draft.text.slice(caret)}`, mentions: [...draft.mentions.filter((m) => m.id !== p.id), { id: p.id, name: p.name }] })
    setCaret(goal.current); setAt(0)
    field.current?.focus()
  }
  const attach = (files: Iterable<File>) => {
    for (const file of files) {
      setLoading((n) => n + 1)
      uploadFile(file, {}).then(({ id, name, type, size }) => onDraft({ ...now.current, files: [...now.current.files, { id, name, type, size }] }), (e) => toast.error(`${file.name}: ${messageOf(e)}`)).finally(() => setLoading((n) => n - 1))
    }
  }
  const ready = (!!draft.text.trim() || draft.files.length > 0) && loading === 0
  const send = () => { if (ready) { onSend(draft); if (!plain) onDraft(NOTHING) } }
  return (
    <div className="relative" role="presentation" onDragOver={(e) => { if (!plain) e.preventDefault() }} onDrop={(e) => { if (!plain && e.dataTransfer.files.length) { e.preventDefault(); attach(e.dataTransfer.files) } }}>
      {draft.parent && <div className="flex items-center gap-2 mb-1 text-muted text-xs"><span className="flex-1 truncate">{t('messages.answering', { name: draft.parent.author ?? '' })}: {draft.parent.body}</span><button type="button" className="btn ghost icon sm" aria-label={t('messages.noAnswer')} onClick={() => onDraft({ ...draft, parent: null })}><X size={13} /></button></div>}
      {(draft.files.length > 0 || loading > 0) && <ul className="list-none m-0 mb-1 p-0 flex flex-wrap gap-1.5" aria-label={t('messages.files')}>
        {draft.files.map((f) => <li key={f.id} className="chip plain gray !h-7"><span className="truncate" style={{ maxInlineSize: 200 }}>{f.name}</span><button type="button" className="border-0 bg-transparent p-0.5 flex" aria-label={t('removeNamed', { name: f.name })} onClick={() => onDraft({ ...draft, files: draft.files.filter((x) => x.id !== f.id) })}><X size={13} /></button></li>)}
        {loading > 0 && <li className="text-muted text-xs self-center" role="status">{t('uploading')}</li>}
      </ul>}
      <div className="flex items-end gap-1.5">
        {!plain && <>
          <button type="button" className="btn ghost icon" aria-label={t('messages.attach')} title={t('messages.attach')} onClick={() => picker.current?.click()}><Paperclip size={16} /></button>
          <input ref={picker} type="file" multiple hidden aria-label={t('messages.attach')} onChange={(e) => { attach(e.target.files ?? []); e.target.value = '' }} />
        </>}
        <textarea ref={field} className="input compose" rows={1} maxLength={10_000} aria-label={label} placeholder={label} value={draft.text}
          aria-autocomplete="list" aria-controls={choices.length ? own : undefined} aria-activedescendant={choices[at] ? `${own}${at}` : undefined}
          onChange={(e) => { setCaret(e.target.selectionStart); setClosed(-1); setAt(0); onDraft({ ...draft, text: e.target.value }) }}
          onSelect={(e) => setCaret(e.currentTarget.selectionStart)}
          onPaste={(e) => { if (!plain && e.clipboardData.files.length) { e.preventDefault(); attach(e.clipboardData.files) } }}
          onKeyDown={(e) => {
            if (e.nativeEvent.isComposing) return
            if (choices.length && ['ArrowDown', 'ArrowUp', 'Enter', 'Tab'].includes(e.key) && !e.shiftKey) {
              e.preventDefault()
              if (e.key === 'Enter' || e.key === 'Tab') take(choices[at]); else setAt((i) => (i + (e.key === 'ArrowDown' ? 1 : choices.length - 1)) % choices.length)
            } else if (e.key === 'Enter' && !e.shiftKey) { e.preventDefault(); send() }
            else if (e.key === 'ArrowUp' && !draft.text && onUp) { e.preventDefault(); onUp() }
            else if (e.key === 'Escape') {
              if (choices.length && mention) { e.preventDefault(); setClosed(mention.from) }
              else if (onLeave) { e.preventDefault(); e.stopPropagation(); onLeave() }
              else if (draft.parent) { e.preventDefault(); onDraft({ ...draft, parent: null }) }
              else e.currentTarget.blur()
            }
          }} />
        {onLeave && <button type="button" className="btn ghost" onClick={onLeave}>{t('cancel')}</button>}
        <button type="button" className="btn primary icon" disabled={!ready} aria-label={plain ? t('save') : t('comments.send')} title={`${plain ? t('save') : t('comments.send')} (↵)`} onClick={send}><Send size={15} className="rtl:scale-x-[-1]" /></button>
      </div>
      {choices.length > 0 && (
        <div id={own} role="listbox" aria-label={t('comments.people')} className="pop absolute start-0 w-[260px]" style={{ bottom: '100%', marginBlockEnd: 4, zIndex: 30, maxHeight: 240, overflow: 'auto' }}>
          {choices.map((p, i) => <div key={p.id} id={`${own}${i}`} role="option" tabIndex={-1} aria-selected={i === at} data-selected={i === at} className="item" onMouseDown={(e) => { e.preventDefault(); take(p) }} onMouseEnter={() => setAt(i)}><Avatar name={p.name} src={people.find((x) => x.id === p.id)?.picture} /><span className="truncate">{p.name}</span></div>)}
        </div>
      )}
    </div>
  )
}
