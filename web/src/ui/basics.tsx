import { clsx } from 'clsx'
import { X } from 'lucide-react'
import { Dialog as D, DropdownMenu as M, Popover as P } from 'radix-ui'
import { useId, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, Problem } from '@/api/http'
import type { Option } from '@/meta/types'

// ---- small things ---------------------------------------------------------------------------------------------------

export function hueOf(text: string): number {
  let h = 0
  for (const c of text) h = (h * 31 + c.codePointAt(0)!) % 360
  return h
}
export function Avatar({ name, size = 20, src }: { name: string; size?: number; src?: string | undefined }) {
  const initials = name.split(/\s+/).filter(Boolean).slice(0, 2).map((w) => w[0]?.toUpperCase()).join('')
  return <span className="avatar" aria-hidden="true" data-i={initials} style={{ '--h': hueOf(name), width: size, height: size, fontSize: size * 0.46 } as React.CSSProperties}>{src && <img src={src} alt="" loading="lazy" />}</span>
}

const HUES = ['gray', 'blue', 'violet', 'amber', 'green', 'red', 'cyan', 'pink']
const ALIAS: Record<string, string> = { grey: 'gray', orange: 'amber', yellow: 'amber', purple: 'violet', indigo: 'violet', teal: 'cyan', slate: 'gray', emerald: 'green', lime: 'green', rose: 'pink', sky: 'blue', neutral: 'gray', success: 'green', danger: 'red', warning: 'amber', info: 'blue' }
export function hueName(option: Option | undefined): string {
  const asked = option?.color?.toLowerCase() ?? ''
  return ALIAS[asked] ?? (HUES.includes(asked) ? asked : 'gray')
}
export function Chip({ option, plain }: { option: Option; plain?: boolean }) {
  return <span className={clsx('chip', hueName(option), plain && 'plain')}><span className="overflow-hidden text-ellipsis">{option.label}</span></span>
}

export function Skeleton({ rows = 6 }: { rows?: number }) {
  const { t } = useTranslation()
  return (
    <div className="p-4 space-y-4" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, i) => <div key={i} className="skel" style={{ width: `${92 - ((i * 23) % 50)}%` }} />)}
    </div>
  )
}

export function Empty({ icon, title, text, children }: { icon?: ReactNode; title: string; text?: string | undefined; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center justify-center text-center gap-2 py-14 px-6">
      {icon && <div className="text-faint" aria-hidden="true">{icon}</div>}
      <div className="font-semibold">{title}</div>
      {text && <div className="text-muted max-w-[42ch]">{text}</div>}
      {children && <div className="flex gap-2 mt-2 flex-wrap justify-center">{children}</div>}
    </div>
  )
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation()
  const status = error instanceof Problem ? error.status : 0
  const title = status === 403 ? t('error.forbidden') : status === 404 ? t('error.missing') : t('error.broken')
  return (
    <div role="alert">
      <Empty title={title} text={messageOf(error)}>{retry && <button type="button" className="btn" onClick={retry}>{t('retry')}</button>}</Empty>
    </div>
  )
}

// ---- form row -------------------------------------------------------------------------------------------------------

export interface ControlProps { id: string; 'aria-invalid': boolean; 'aria-describedby': string | undefined }
export function Labelled({ label, required, error, help, children, className, hideLabel }: {
  label: string; required?: boolean; error?: string | undefined; help?: string | null | undefined; className?: string; hideLabel?: boolean
  children: (p: ControlProps) => ReactNode
}) {
  const id = useId()
  const about = [error && id + 'e', help && id + 'h'].filter(Boolean).join(' ')
  return (
    <div className={className}>
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : 'field-label'}>{label}{required && <span className="text-bad" aria-hidden="true"> *</span>}</label>
      {children({ id, 'aria-invalid': !!error, 'aria-describedby': about || undefined })}
      {help && !error && <div id={id + 'h'} className="field-help">{help}</div>}
      {error && <div id={id + 'e'} className="field-error">{error}</div>}
    </div>
  )
}

// ---- dialog, popover, menu ------------------------------------------------------------------------------------------

export function Dialog({ title, onClose, children, footer, width = 560, description, onSubmit }: {
  title: ReactNode; onClose: () => void; children: ReactNode; footer?: ReactNode; width?: number; description?: string; onSubmit?: () => void
}) {
  const { t } = useTranslation()
  const box = useRef<HTMLDivElement>(null)
  const body = (
    <>
      <div className="flex items-center gap-2 ps-5 pe-3 h-12 border-b border-line flex-none">
        <D.Title className="font-semibold text-base m-0 flex-1 truncate">{title}</D.Title>
        <D.Close className="btn ghost icon" aria-label={t('close')}><X size={16} /></D.Close>
      </div>
      <div className="p-5 overflow-auto flex-1 min-h-0">
        {description && <p className="mt-0 mb-4 text-muted">{description}</p>}
        {children}
      </div>
      {footer && <div className="flex justify-end gap-2 px-5 py-3 border-t border-line flex-none">{footer}</div>}
    </>
  )
  return (
    <D.Root open onOpenChange={(o) => !o && onClose()}>
      <D.Portal>
        <D.Overlay className="overlay">
          <D.Content ref={box} className="dialog" data-modal="" style={{ maxWidth: width }} aria-describedby={undefined}
            onOpenAutoFocus={(e) => { const first = box.current?.querySelector<HTMLElement>('input:not([type=hidden]),select,textarea,[data-first]'); if (first && !box.current?.contains(document.activeElement)) { e.preventDefault(); first.focus() } }}
            onKeyDown={(e) => { if (onSubmit && e.key === 'Enter' && (e.metaKey || e.ctrlKey)) { e.preventDefault(); onSubmit() } }}>
            {onSubmit ? <form noValidate className="flex flex-col min-h-0 flex-1" onSubmit={(e) => { e.preventDefault(); onSubmit() }}>{body}</form> : body}
          </D.Content>
        </D.Overlay>
      </D.Portal>
    </D.Root>
  )
}

export function Popover({ trigger, children, width = 280, align = 'start', open, onOpenChange, label }: {
  trigger: ReactNode; children: ReactNode; width?: number; align?: 'start' | 'end' | 'center'; open?: boolean; onOpenChange?: (o: boolean) => void; label: string
}) {
  return (
    <P.Root {...(open === undefined ? {} : { open })} {...(onOpenChange ? { onOpenChange } : {})}>
      <P.Trigger asChild>{trigger}</P.Trigger>
      <P.Portal>
        <P.Content className="pop" role="dialog" aria-label={label} align={align} sideOffset={6} collisionPadding={8} style={{ width, maxWidth: 'calc(100vw - 16px)', maxHeight: 'min(70vh, var(--radix-popover-content-available-height))', overflow: 'auto' }}>{children}</P.Content>
      </P.Portal>
    </P.Root>
  )
}

export interface MenuItem { label: ReactNode; icon?: ReactNode; onSelect?: () => void; danger?: boolean; disabled?: boolean; checked?: boolean; hint?: ReactNode; href?: string; key?: string }
export type MenuEntry = MenuItem | 'rule' | { heading: string } | null | false | undefined
export function Menu({ trigger, items, align = 'start', width = 200 }: { trigger: ReactNode; items: MenuEntry[]; align?: 'start' | 'end'; width?: number }) {
  // Looked up when it opens: the menu lies inside the page's landmark.
  const [open, setOpen] = useState(false)
  return (
    <M.Root modal={false} open={open} onOpenChange={setOpen}>
      <M.Trigger asChild>{trigger}</M.Trigger>
      <M.Portal container={open ? document.querySelector('main') : null}>
        <M.Content className="pop" align={align} sideOffset={6} collisionPadding={8} style={{ minWidth: width, maxHeight: 'min(70vh, var(--radix-dropdown-menu-content-available-height))', overflow: 'auto' }}>
          {items.map((it, i) => {
            if (!it) return null
            if (it === 'rule') return <M.Separator key={i} className="rule" />
            if ('heading' in it) return <M.Label key={i} className="menu-label">{it.heading}</M.Label>
            const inner = <>{it.icon && <span className="text-muted flex">{it.icon}</span>}<span className="flex-1 truncate">{it.label}</span>{it.checked && <span aria-hidden="true">✓</span>}{it.hint && <span className="text-faint text-xs">{it.hint}</span>}</>
            const cls = clsx('item', it.danger && 'text-bad')
            if (it.href) return <M.Item key={i} asChild className={cls}><a href={it.href} download className="no-underline text-fg">{inner}</a></M.Item>
            if (it.checked !== undefined) return <M.CheckboxItem key={i} className={cls} checked={it.checked} disabled={!!it.disabled} onSelect={() => it.onSelect?.()}>{inner}</M.CheckboxItem>
            return <M.Item key={i} className={cls} disabled={!!it.disabled} onSelect={() => it.onSelect?.()}>{inner}</M.Item>
          })}
        </M.Content>
      </M.Portal>
    </M.Root>
  )
}

export function Confirm({ title, text, action, danger, onConfirm, onClose }: { title: string; text?: string; action: string; danger?: boolean; onConfirm: () => void; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Dialog title={title} onClose={onClose} width={420} footer={<>
      <button type="button" className="btn" onClick={onClose}>{t('cancel')}</button>
      <button type="button" className={clsx('btn', danger ? 'danger' : 'primary')} onClick={() => { onClose(); onConfirm() }}>{action}</button>
    </>}>
      <div className="text-muted">{text}</div>
    </Dialog>
  )
}

export function Progress({ done, total, label }: { done: number; total: number; label: string }) {
  const share = total > 0 ? Math.min(100, Math.round((done / total) * 100)) : 0
  return (
    <div role="progressbar" aria-label={label} aria-valuenow={share} aria-valuemin={0} aria-valuemax={100} className="h-2 rounded bg-sunken overflow-hidden border border-line">
      <div className="h-full bg-accent-solid" style={{ width: `${share}%`, transition: 'width .15s' }} />
    </div>
  )
}
