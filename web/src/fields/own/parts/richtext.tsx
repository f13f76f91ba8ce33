import { AtSign, Bold, Eye, Heading, Italic, Link, List } from 'lucide-react'
import { useEffect, useId, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { usePeople } from '@/api/people'
import { prefix, wrap, type Marked } from '@/fields/own/marks'
import { mentionAt } from '@/record/words'
import type { InputProps } from '../../registry'
import { aria, text } from '../../shared'
import Shown from './shown'

/** Words with their marks, a bar that sets them, a look at the result. @ names a colleague. */
export default function RichInput(p: InputProps) {
  const { t } = useTranslation()
  const area = useRef<HTMLTextAreaElement>(null)
  const own = useId()
  const people = usePeople()
  const [preview, setPreview] = useState(false)
  const [caret, setCaret] = useState<number | null>(null)
  const [at, setAt] = useState(0)
  const value = text(p.value)
  const change = (s: string) => p.onChange(s === '' ? null : s)
  useEffect(() => { if (p.autoFocus) area.current?.focus() }, [p.autoFocus])
  // At once, before the next key of somebody who types fast.
  const put = (s: string, from: number, to: number) => { flushSync(() => change(s)); area.current?.focus(); area.current?.setSelectionRange(from, to); setCaret(to) }
  const mark = (how: (s: string, from: number, to: number) => Marked) => {
    const el = area.current
    if (!el) return
    const made = how(value, el.selectionStart, el.selectionEnd)
    put(made.text, made.from, made.to)
  }
  const bold = () => mark((s, a, b) => wrap(s, a, b, '**'))
  const soft = () => mark((s, a, b) => wrap(s, a, b, '*'))
  const link = () => mark((s, a, b) => { const words = s.slice(a, b) || t('rich.linkText'); const made = `[${words}](https://)`; return { text: s.slice(0, a) + made + s.slice(b), from: a + made.length - 1, to: a + made.length - 1 } })
  const name = () => mark((s, a, b) => { const gap = a > 0 && !/\s/.test(s[a - 1]!) ? ' ' : ''; return { text: s.slice(0, a) + gap + '@' + s.slice(b), from: a + gap.length + 1, to: a + gap.length + 1 } })
  const asked = caret === null ? null : mentionAt(value, caret)
  const found = asked ? people.filter((x) => x.name.toLowerCase().includes(asked.text.toLowerCase())).slice(0, 6) : []
  const pick = (i: number) => {
    const who = found[i]
    if (!who || !asked || caret === null) return
    const made = `@${who.name} `
    put(value.slice(0, asked.from) + made + value.slice(caret), asked.from + made.length, asked.from + made.length)
    setAt(0)
  }
  const tools = [
    { label: t('rich.bold'), icon: <Bold size={15} />, do: bold }, { label: t('rich.italic'), icon: <Italic size={15} />, do: soft },
    { label: t('rich.heading'), icon: <Heading size={15} />, do: () => mark((s, a, b) => prefix(s, a, b, '# ')) }, { label: t('rich.list'), icon: <List size={15} />, do: () => mark((s, a, b) => prefix(s, a, b, '- ')) },
    { label: t('rich.link'), icon: <Link size={15} />, do: link }, { label: t('rich.mention'), icon: <AtSign size={15} />, do: name },
  ]
  return (
    <div className="relative w-full">
      <div role="toolbar" aria-label={t('rich.tools')} className="flex gap-0.5 mb-1">
        {tools.map((x) => <button key={x.label} type="button" className="btn ghost icon sm" aria-label={x.label} title={x.label} disabled={preview} onMouseDown={(e) => e.preventDefault()} onClick={x.do}>{x.icon}</button>)}
        <button type="button" className="btn ghost sm ms-auto" aria-pressed={preview} onClick={() => setPreview(!preview)}><Eye size={15} />{t('rich.preview')}</button>
      </div>
      {preview ? <div className="input" style={{ blockSize: 'auto', minBlockSize: 96, paddingBlock: 8 }}>{value ? <Shown text={value} /> : <span className="text-faint">—</span>}</div> : (
        <textarea ref={area} {...aria(p)} className="input" rows={6} maxLength={200_000} value={value} aria-autocomplete="list" aria-controls={found.length ? own : undefined} aria-activedescendant={found.length ? `${own}${at}` : undefined}
          onChange={(e) => { change(e.target.value); setCaret(e.target.selectionStart); setAt(0) }} onSelect={(e) => setCaret(e.currentTarget.selectionStart)} onBlur={() => setCaret(null)}
          onKeyDown={(e) => {
            if ((e.metaKey || e.ctrlKey) && !e.shiftKey && !e.altKey && (e.code === 'KeyB' || e.code === 'KeyI')) { e.preventDefault(); e.stopPropagation(); if (e.code === 'KeyB') bold(); else soft(); return }
            if (!found.length) return
            const act = ({ ArrowDown: () => setAt((at + 1) % found.length), ArrowUp: () => setAt((at + found.length - 1) % found.length), Enter: () => pick(at), Tab: () => pick(at), Escape: () => setCaret(null) } as Record<string, () => void>)[e.key]
            if (act && !e.ctrlKey && !e.metaKey) { e.preventDefault(); e.stopPropagation(); act() }
          }} />
      )}
      {found.length > 0 && (
        <div id={own} role="listbox" aria-label={t('comments.people')} className="pop absolute" style={{ insetBlockStart: '100%', insetInlineStart: 0, zIndex: 50, inlineSize: 240 }}>
          {found.map((x, i) => <div key={x.id} id={`${own}${i}`} role="option" tabIndex={-1} aria-selected={i === at} className="item" data-highlighted={i === at || undefined} onMouseDown={(e) => { e.preventDefault(); pick(i) }}>{x.name}</div>)}
        </div>
      )}
    </div>
  )
}
