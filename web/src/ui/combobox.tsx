import { useQuery } from '@tanstack/react-query'
import { ChevronsUpDown, X } from 'lucide-react'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { queryClient } from '@/api/session'

export interface Choice { id: string; label: string; hint?: string }
interface Props {
  id?: string | undefined
  value: string | null
  shown: string
  queryKey: unknown[]
  find: (text: string, signal: AbortSignal) => Promise<Choice[]>
  onPick: (c: Choice | null) => void
  invalid?: boolean | undefined
  describedBy?: string | undefined
  autoFocus?: boolean | undefined
  label?: string | undefined
  required?: boolean | undefined
  disabled?: boolean | undefined
  compact?: boolean | undefined
}

/** Type to find, arrows to choose, Enter to take: the ARIA combobox with a list of its own. */
export function Combobox({ id, value, shown, queryKey, find, onPick, invalid, describedBy, autoFocus, label, required, disabled, compact }: Props) {
  const { t } = useTranslation()
  const own = useId()
  const input = useRef<HTMLInputElement>(null)
  const [open, setOpen] = useState(false)
  const [text, setText] = useState<string | null>(null)
  const [at, setAt] = useState(0)
  const [asked, setAsked] = useState('')
  const [box, setBox] = useState<React.CSSProperties>({})
  const typing = useRef(0)
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text ?? ''), text ? 140 : 0)
    return () => clearTimeout(timer)
  }, [text])
  const choicesOf = (typed: string) => ({ queryKey: ['choices', ...queryKey, typed], queryFn: ({ signal }: { signal: AbortSignal }) => find(typed, signal), staleTime: 15_000 })
  const { data, isFetching, isPlaceholderData } = useQuery({ ...choicesOf(asked), enabled: open, placeholderData: (p) => p })
  const choices = data ?? []

  useEffect(() => { if (autoFocus) { input.current?.focus(); input.current?.select(); setOpen(true) } }, [autoFocus])
  useEffect(() => { setAt(0) }, [data])
  useLayoutEffect(() => {
    if (!open) return
    const place = () => {
      const r = input.current?.getBoundingClientRect()
      if (!r) return
      const below = innerHeight - r.bottom > 260 || r.top < 260
      const width = Math.max(r.width, 260)
      const left = Math.max(8, Math.min(r.left, innerWidth - width - 8))
      setBox({ position: 'fixed', left, width, ...(below ? { top: r.bottom + 4 } : { bottom: innerHeight - r.top + 4 }) })
    }
    place()
    addEventListener('scroll', place, true)
    addEventListener('resize', place)
    return () => { removeEventListener('scroll', place, true); removeEventListener('resize', place) }
  }, [open])

  const take = (c: Choice | null) => { typing.current++; setOpen(false); setText(null); onPick(c) }
  // The list on the screen may still be that of what was typed before.
  const behind = isPlaceholderData || asked !== (text ?? '')
  const takeFirst = () => {
    const now = typing.current
    void queryClient.fetchQuery(choicesOf(text ?? '')).then(([first]) => { if (first && now === typing.current) take(first) }).catch(() => {})
  }
  const listId = own + 'l'
  return (
    <div className="relative w-full">
      <input ref={input} id={id} className="input" role="combobox" autoComplete="off" aria-expanded={open} aria-controls={open ? listId : undefined} aria-autocomplete="list"
        aria-activedescendant={open && choices[at] ? `${own}-${at}` : undefined} aria-invalid={invalid} aria-describedby={describedBy} aria-label={label} aria-required={required} disabled={disabled}
        style={{ paddingInlineEnd: compact ? 22 : 46 }}
        value={text ?? shown} placeholder={compact ? '' : t('choose')}
        onChange={(e) => { typing.current++; setText(e.target.value); setOpen(true) }}
        onMouseDown={() => setOpen(true)}
        onBlur={() => { setOpen(false); setText((now) => { if (now === '' && value) onPick(null); return null }) }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
            if (e.altKey || !open) { if (!compact || e.altKey) { e.preventDefault(); e.stopPropagation(); setOpen(true) } return }
            e.preventDefault(); e.stopPropagation()
            setAt((i) => Math.max(0, Math.min(choices.length - 1, i + (e.key === 'ArrowDown' ? 1 : -1))))
          } else if (text && behind && open && (e.key === 'Enter' || e.key === 'Tab')) {
            if (e.key === 'Enter') { e.preventDefault(); e.stopPropagation() }
            takeFirst()
          } else if (e.key === 'Enter' && open && choices[at] && (text !== null || (!value && !e.ctrlKey && !e.metaKey))) {
            e.preventDefault(); e.stopPropagation(); take(choices[at])
          } else if (e.key === 'Escape' && open) {
            e.preventDefault(); e.stopPropagation(); setOpen(false); setText(null)
          } else if (e.key === 'Tab' && open && text && choices[at]) {
            take(choices[at])
          }
        }} />
      {!compact && value && !disabled && !required && (
        <button type="button" tabIndex={-1} className="absolute end-6 top-1/2 -translate-y-1/2 p-1 border-0 bg-transparent text-faint" aria-label={t('clear')} onMouseDown={(e) => { e.preventDefault(); take(null) }}><X size={13} /></button>
      )}
      <ChevronsUpDown size={13} className="absolute end-2 top-1/2 -translate-y-1/2 text-faint pointer-events-none" aria-hidden="true" />
      {open && createPortal(
        <div className="pop" style={{ ...box, zIndex: 90, maxHeight: 250, overflow: 'auto', pointerEvents: 'auto' }} onMouseDown={(e) => e.preventDefault()}>
          <div id={listId} role="listbox" aria-label={label ?? t('choose')}>
            {choices.map((c, i) => (
              <div key={c.id} id={`${own}-${i}`} role="option" tabIndex={-1} aria-selected={i === at} data-selected={i === at} className="item" onClick={() => take(c)} onMouseEnter={() => setAt(i)} onKeyDown={() => {}}
                ref={i === at ? (el) => el?.scrollIntoView({ block: 'nearest' }) : undefined}>
                <span className="truncate flex-1">{c.label}</span>{c.hint && <span className="text-faint text-xs truncate max-w-[45%]">{c.hint}</span>}
              </div>
            ))}
          </div>
          {choices.length === 0 && <div className="px-2 py-2 text-muted" role="status">{isFetching ? t('loading') : t('nothingFound')}</div>}
        </div>,
        input.current?.closest('[role=dialog],main') ?? document.body)}
    </div>
  )
}
