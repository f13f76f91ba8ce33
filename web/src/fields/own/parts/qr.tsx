import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { encode } from 'uqr'
import { Dialog } from '@/ui/basics'
import { pathOf } from './squares'

/** A code for cameras; pressed, it is large. On paper it is as it is here. */
export default function Qr({ text, label, size }: { text: string; label: string; size: number }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const code = useMemo(() => { try { const { data, size: n } = encode(text, { ecc: 'M', border: 4 }); return { n, path: pathOf(data) } } catch { return null } }, [text])
  // Longer than a code can hold: the text alone is shown.
  if (!code) return null
  const draw = (side: number | string) => <svg viewBox={`0 0 ${code.n} ${code.n}`} width={side} height={side} role="img" aria-label={t('own.qrOf', { text })} shapeRendering="crispEdges" style={{ background: '#fff', printColorAdjust: 'exact' }}><path d={code.path} fill="#000" /></svg>
  return (
    <span className="inline-flex flex-none" role="presentation" onClick={(e) => e.stopPropagation()} onKeyDown={(e) => e.stopPropagation()}>
      <button type="button" className="border-0 bg-transparent p-0 inline-flex" style={{ minWidth: 24, minHeight: 24, alignItems: 'center', justifyContent: 'center' }} aria-label={t('own.qrShow', { text })} onClick={() => setOpen(true)}>{draw(size)}</button>
      {open && <Dialog title={label} width={420} onClose={() => setOpen(false)} footer={<button type="button" className="btn primary" onClick={() => setOpen(false)}>{t('close')}</button>}><div className="flex flex-col items-center gap-3">{draw('min(300px, 70vw)')}<span className="break-all text-center">{text}</span></div></Dialog>}
    </span>
  )
}
