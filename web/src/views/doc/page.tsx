import { useQuery } from '@tanstack/react-query'
import { Editor } from '@tiptap/core'
import { clsx } from 'clsx'
import { Download, PanelRightOpen, Printer } from 'lucide-react'
import { lazy, Suspense, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { Awareness } from 'y-protocols/awareness'
import { url } from '@/api/http'
import { titleOf } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import { Present, usePresence, type Here } from '@/record/presence'
import { Failure, Menu, Skeleton } from '@/ui/basics'
import { extensions, type Shown } from './schema'
import { Shared, type Status } from './shared'
import { LinkedTable } from './table'
import { Tools } from './tools'

const Comments = lazy(() => import('@/record/comments'))
const CARET = 400

/** One document: its words, who else is in it, what was said about them. */
export function Page({ entity, field, row, onOpen }: { entity: Entity; field: Field; row: Row; onOpen: () => void }) {
  const { t } = useTranslation()
  const path = `/docs/${entity.name}/${row.id}/${field.name}`
  const [shared, setShared] = useState(() => new Shared(path))
  const status = useSyncExternalStore(shared.subscribe, () => shared.status)
  // Asked anew whenever somebody wrote, and when the stream was broken.
  const { error, refetch } = useQuery({ queryKey: ['document', entity.name, row.id, field.name], queryFn: () => shared.exchange(), retry: false, gcTime: 0, staleTime: 0, refetchOnWindowFocus: 'always' })
  const [caret, setCaret] = useState<string>()
  const here = usePresence(entity.name, row.id, status.may ? field.name : undefined, caret)
  const about = { entity, row, title: titleOf(entity, row) }
  useEffect(() => () => shared.close(), [shared])
  if (error && !status.loaded) return <div className="flex-1"><Failure error={error} retry={() => void refetch()} /></div>
  return (
    <article className="doc-page" aria-label={about.title}>
      <header className="doc-head">
        <h2 className="m-0 flex-1 truncate text-base font-semibold">{about.title}</h2>
        <Present here={here.filter((h) => !h.field || h.field === field.name)} entity={entity} />
        <Saved status={status} onDrop={() => { shared.drop(); setShared(new Shared(path)); setTimeout(() => void refetch()) }} />
        <Menu align="end" trigger={<button type="button" className="btn ghost icon sm no-print" aria-label={t('doc.export')} title={t('doc.export')}><Download size={15} /></button>} items={[
          { label: 'Markdown', onSelect: () => location.assign(url(path, { format: 'md' })) }, { label: 'HTML', onSelect: () => location.assign(url(path, { format: 'html' })) },
        ]} />
        <button type="button" className="btn ghost icon sm no-print max-md:hidden" aria-label={t('doc.print')} title={t('doc.print')} onClick={() => print()}><Printer size={15} /></button>
        <button type="button" className="btn ghost icon sm no-print" aria-label={t('embed.record', { name: about.title })} title={t('embed.record', { name: about.title })} onClick={onOpen}><PanelRightOpen size={15} /></button>
      </header>
      {status.loaded ? <Words key={shared.doc.guid} shared={shared} status={status} entity={entity} row={row} label={field.label} here={here} field={field.name} onCaret={setCaret} /> : <Skeleton rows={8} />}
    </article>
  )
}

function Saved({ status, onDrop }: { status: Status; onDrop: () => void }) {
  const { t } = useTranslation()
  if (!status.loaded) return null
  if (status.state === 'refused') return <div className="note bad no-print flex items-center gap-2" role="alert" style={{ padding: '2px 8px' }}>{t('doc.refused', { why: status.why })}<button type="button" className="btn sm" onClick={onDrop}>{t('doc.drop')}</button></div>
  return <span role="status" className={clsx('text-xs no-print', status.state === 'waits' ? 'text-warn' : 'text-faint')}>{t(status.may ? `doc.${status.state}` : 'doc.reads')}</span>
}

function Words({ shared, status, entity, row, label, here, field, onCaret }: { shared: Shared; status: Status; entity: Entity; row: Row; label: string; here: Here[]; field: string; onCaret: (c: string | undefined) => void }) {
  const { t } = useTranslation()
  const place = useRef<HTMLDivElement>(null)
  const [editor, setEditor] = useState<Editor | null>(null)
  const [tables, setTables] = useState<Shown[]>([])
  const [, drawn] = useState(0)
  const awareness = useMemo(() => new Awareness(shared.doc), [shared])
  useEffect(() => {
    const made = new Editor({
      element: place.current!, injectCSS: false, editable: false,
      extensions: extensions(shared.doc, awareness, (at) => queueMicrotask(() => setTables((old) => [...old, at])), (dom) => queueMicrotask(() => setTables((old) => old.filter((x) => x.dom !== dom)))),
      editorProps: { attributes: { role: 'textbox', 'aria-multiline': 'true', 'aria-label': label, class: 'doc-text' } },
      onTransaction: () => drawn((n) => n + 1),
    })
    setEditor(made)
    return () => { made.destroy(); awareness.destroy() }
  }, [shared, awareness, label])
  useEffect(() => { editor?.setEditable(status.may, false) }, [editor, status.may])

  // One's own caret is told a while after it moved; those of the others are put where they say.
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const moved = (_: unknown, origin: unknown) => { if (origin === 'local') timer ??= setTimeout(() => { timer = undefined; const c = awareness.getLocalState()?.cursor as object | undefined; onCaret(c ? JSON.stringify(c) : undefined) }, CARET) }
    awareness.on('update', moved)
    return () => { clearTimeout(timer); awareness.off('update', moved); onCaret(undefined) }
  }, [awareness, onCaret])
  const others = JSON.stringify(here.filter((h) => h.field === field && h.caret).map((h) => [h.window, h.name, h.caret]))
  useEffect(() => {
    const now = new Map((JSON.parse(others) as [string, string, string][]).map(([window, name, caret]) => [parseInt(window.slice(0, 7), 16), { user: { name }, cursor: parsed(caret) }]))
    const own = awareness.clientID
    const removed = [...awareness.states.keys()].filter((id) => id !== own && !now.has(id))
    for (const id of removed) awareness.states.delete(id)
    for (const [id, state] of now) { awareness.states.set(id, state); awareness.meta.set(id, { clock: Date.now(), lastUpdated: Date.now() }) }
    awareness.emit('change', [{ added: [], updated: [...now.keys()], removed }, 'others'])
  }, [others, awareness])

  const about: string[] = []
  editor?.state.doc.descendants((n) => { for (const m of n.marks) if (m.type.name === 'comment' && !about.includes(String(m.attrs.id))) about.push(String(m.attrs.id)) })
  const said = (id: string) => document.querySelector(`.doc-said [data-comment="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'nearest' })
  return (
    <>
      {editor && status.may && <Tools editor={editor} entity={entity.name} record={row.id} />}
      <div className="doc-both">
        <div className="doc-scroll">
          <div ref={place} className={clsx('doc-words', !status.may && 'reads')} onClick={(e) => { const id = (e.target as HTMLElement).closest<HTMLElement>('[data-about]')?.dataset.about; if (id) said(id) }} onKeyDown={(e) => { if (e.key === 'Escape') (document.querySelector('.doc-list [tabindex="0"]') as HTMLElement | null)?.focus(); else e.stopPropagation() }} />
        </div>
        {about.length > 0 && <aside className="doc-said" aria-label={t('doc.said')}><Suspense fallback={null}><Comments entity={entity.name} id={row.id} wide={false} only={about} /></Suspense></aside>}
      </div>
      {tables.map((x, i) => createPortal(<LinkedTable href={x.href} title={x.title} />, x.dom, `${i}`))}
    </>
  )
}

function parsed(caret: string): unknown { try { return JSON.parse(caret) } catch { return null } }
