import type { Editor } from '@tiptap/core'
import { clsx } from 'clsx'
import { Bold, Code, Heading1, Heading2, Heading3, Italic, Link, List, ListOrdered, MessageSquarePlus, Quote, Redo2, Strikethrough, Table2, Undo2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { post } from '@/api/http'
import { queryClient } from '@/api/session'
import { MOD } from '@/lib/keys'
import { useSubmit } from '@/lib/useForm'
import { useMeta } from '@/meta/hooks'
import { commentsQuery, type Comment } from '@/record/talk'
import { Dialog, Labelled } from '@/ui/basics'
import { leads } from '@/ui/marks'
import { useViews } from '../views'

/** What sets the marks of a document, by the mouse; its keys are those that editors have. */
export function Tools({ editor, entity, record }: { editor: Editor; entity: string; record: string }) {
  const { t } = useTranslation()
  const [asking, setAsking] = useState<'link' | 'comment' | 'table' | null>(null)
  const back = () => { setAsking(null); requestAnimationFrame(() => editor.commands.focus()) }
  const on = () => editor.chain().focus()
  const { from, to } = editor.state.selection
  const chosen = editor.state.doc.textBetween(from, to, ' ').trim()
  const tools: (false | { label: string; key?: string; icon: ReactNode; do: () => void; is?: boolean; off?: boolean })[] = [
    { label: t('doc.undo'), key: `${MOD}Z`, icon: <Undo2 size={15} />, do: () => on().undo().run(), off: !editor.can().undo() }, { label: t('doc.redo'), key: `${MOD}⇧Z`, icon: <Redo2 size={15} />, do: () => on().redo().run(), off: !editor.can().redo() }, false,
    ...([1, 2, 3] as const).map((level) => ({ label: `${t('rich.heading')} ${level}`, icon: [<Heading1 key={1} size={15} />, <Heading2 key={2} size={15} />, <Heading3 key={3} size={15} />][level - 1], do: () => on().toggleHeading({ level }).run(), is: editor.isActive('heading', { level }) })), false,
    { label: t('rich.bold'), key: `${MOD}B`, icon: <Bold size={15} />, do: () => on().toggleBold().run(), is: editor.isActive('bold') }, { label: t('rich.italic'), key: `${MOD}I`, icon: <Italic size={15} />, do: () => on().toggleItalic().run(), is: editor.isActive('italic') },
    { label: t('doc.strike'), icon: <Strikethrough size={15} />, do: () => on().toggleStrike().run(), is: editor.isActive('strike') }, { label: t('doc.code'), icon: <Code size={15} />, do: () => on().toggleCode().run(), is: editor.isActive('code') },
    { label: t('rich.link'), icon: <Link size={15} />, do: () => (editor.isActive('link') ? on().extendMarkRange('link').unsetMark('link').run() : setAsking('link')), is: editor.isActive('link'), off: !chosen && !editor.isActive('link') }, false,
    { label: t('rich.list'), icon: <List size={15} />, do: () => on().toggleBulletList().run(), is: editor.isActive('bulletList') }, { label: t('doc.numbered'), icon: <ListOrdered size={15} />, do: () => on().toggleOrderedList().run(), is: editor.isActive('orderedList') },
    { label: t('doc.quote'), icon: <Quote size={15} />, do: () => on().toggleBlockquote().run(), is: editor.isActive('blockquote') }, false,
    { label: editor.isActive('comment') ? t('doc.uncomment') : t('doc.comment'), icon: <MessageSquarePlus size={15} />, do: () => (editor.isActive('comment') ? on().extendMarkRange('comment').unsetMark('comment').run() : setAsking('comment')), is: editor.isActive('comment'), off: !chosen && !editor.isActive('comment') },
    { label: t('doc.table'), icon: <Table2 size={15} />, do: () => setAsking('table') },
  ]
  return (
    <div role="toolbar" aria-label={t('rich.tools')} className="doc-tools no-print" onKeyDown={(e) => {
      const way = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0
      if (!way) return
      const all = [...e.currentTarget.querySelectorAll<HTMLButtonElement>('button:enabled')]
      e.preventDefault()
      all[(all.indexOf(document.activeElement as HTMLButtonElement) + way + all.length) % all.length]?.focus()
    }}>
      {tools.map((x, i) => (x ? <button key={x.label} type="button" className={clsx('btn ghost icon sm', x.is && 'on')} aria-label={x.label} aria-pressed={x.is} title={x.key ? `${x.label} ${x.key}` : x.label} disabled={x.off} onMouseDown={(e) => e.preventDefault()} onClick={x.do}>{x.icon}</button> : <span key={i} className="doc-gap" />))}
      {asking === 'link' && <AskLink onClose={back} onDone={(href) => { editor.chain().setMark('link', { href }).run(); back() }} />}
      {asking === 'comment' && <AskComment entity={entity} record={record} about={chosen} onClose={back} onDone={(id) => { editor.chain().setMark('comment', { id }).run(); back() }} />}
      {asking === 'table' && <AskTable onClose={back} onDone={(attrs) => { editor.chain().insertContent({ type: 'linkedTable', attrs }).run(); back() }} />}
    </div>
  )
}

function Buttons({ onClose, busy, word }: { onClose: () => void; busy?: boolean; word: string }) {
  const { t } = useTranslation()
  return <><button type="button" className="btn" onClick={onClose}>{t('cancel')}</button><button type="submit" className="btn primary" disabled={busy}>{word}</button></>
}

function AskLink({ onClose, onDone }: { onClose: () => void; onDone: (href: string) => void }) {
  const { t } = useTranslation()
  const [href, setHref] = useState('https://')
  const [bad, setBad] = useState(false)
  const to = href.trim().replace(/\(/g, '%28').replace(/\)/g, '%29')
  return <Dialog title={t('rich.link')} width={420} onClose={onClose} onSubmit={() => (leads(to) ? onDone(to) : setBad(true))} footer={<Buttons onClose={onClose} word={t('apply')} />}><Labelled label={t('doc.address')} error={bad ? t('doc.badAddress') : undefined}>{(p) => <input {...p} className="input" autoFocus value={href} onChange={(e) => { setHref(e.target.value); setBad(false) }} />}</Labelled></Dialog>
}

function AskComment({ entity, record, about, onClose, onDone }: { entity: string; record: string; about: string; onClose: () => void; onDone: (id: string) => void }) {
  const { t } = useTranslation()
  const [body, setBody] = useState('')
  const { submit, busy, message } = useSubmit(async () => {
    const made = await post<Comment>('/comments', { entity, record, body })
    await queryClient.invalidateQueries({ queryKey: commentsQuery(entity, record).queryKey })
    onDone(made.id)
  })
  return <Dialog title={t('doc.comment')} width={460} onClose={onClose} onSubmit={submit} footer={<Buttons onClose={onClose} busy={busy} word={t('doc.say')} />}>
    <blockquote className="doc-quoted">{about.slice(0, 200)}</blockquote>
    <Labelled label={t('doc.comment')} error={message || undefined}>{(p) => <textarea {...p} className="input" rows={4} autoFocus value={body} onChange={(e) => setBody(e.target.value)} />}</Labelled>
  </Dialog>
}

function AskTable({ onClose, onDone }: { onClose: () => void; onDone: (attrs: { href: string; title: string }) => void }) {
  const { t } = useTranslation()
  const { data: meta } = useMeta()
  const all = Object.values(meta?.entities ?? {}).filter((e) => !e.part_of).sort((a, b) => a.plural.localeCompare(b.plural))
  const [entity, setEntity] = useState('')
  const of = all.find((e) => e.name === entity)
  const { data: views } = useViews(entity || 'none')
  const [view, setView] = useState('')
  const named = views?.find((v) => v.id === view)
  const save = () => { if (of) onDone({ href: `/o/${of.name.replace('.', '-')}${named ? `?view=${named.id}` : ''}`, title: named?.name ?? of.plural }) }
  return <Dialog title={t('doc.table')} description={t('doc.tableHelp')} width={420} onClose={onClose} onSubmit={save} footer={<Buttons onClose={onClose} busy={!of} word={t('doc.insert')} />}>
    <Labelled label={t('doc.records')}>{(p) => <select {...p} className="input" autoFocus value={entity} onChange={(e) => { setEntity(e.target.value); setView('') }}><option value="">—</option>{all.map((e) => <option key={e.name} value={e.name}>{e.plural}</option>)}</select>}</Labelled>
    <Labelled label={t('doc.view')} className="mt-3">{(p) => <select {...p} className="input" value={view} disabled={!of} onChange={(e) => setView(e.target.value)}><option value="">{t('doc.allRecords')}</option>{of && views?.map((v) => <option key={v.id} value={v.id}>{v.name}</option>)}</select>}</Labelled>
  </Dialog>
}
