import './print.css'
import { useEffect, useState } from 'react'
import { flushSync } from 'react-dom'
import { useSession } from '@/api/session'
import { formatInstant, useLocale } from '@/lib/format'

/** Whether a page is being put onto paper. What is drawn for it is there before the browser looks. */
export function usePrinting(): boolean {
  const [on, setOn] = useState(false)
  useEffect(() => {
    const before = () => flushSync(() => setOn(true))
    const after = () => setOn(false)
    addEventListener('beforeprint', before)
    addEventListener('afterprint', after)
    return () => { removeEventListener('beforeprint', before); removeEventListener('afterprint', after) }
  }, [])
  return on
}

/** A landscape sheet, in pixels of the screen. */
const SHEET = 1_030

/** Paper is white, and what was measured for the screen is made smaller as a whole. */
export function usePaper(): void {
  useEffect(() => {
    const root = document.documentElement
    let was: string | undefined
    const before = () => {
      was ??= root.dataset.theme; root.dataset.theme = 'light'
      const wide = document.querySelector('.d-grid,.p-table')
      const width = wide ? Math.max(wide.scrollWidth, wide.getBoundingClientRect().width) : 0
      root.style.setProperty('--screen', `${width}px`)
      root.style.setProperty('--shrink', String(width ? Math.min(1, SHEET / width) : 1))
    }
    const after = () => { root.style.removeProperty('--screen'); root.style.removeProperty('--shrink'); if (was) root.dataset.theme = was; was = undefined }
    addEventListener('beforeprint', before)
    addEventListener('afterprint', after)
    return () => { removeEventListener('beforeprint', before); removeEventListener('afterprint', after) }
  }, [])
}

/** Whose it is, what it is, of when. */
export function PrintTop({ title }: { title?: string | undefined }) {
  const { me } = useSession()
  const locale = useLocale()
  // It is drawn for each print anew.
  const [now] = useState(() => new Date().toISOString())
  return <div className="print-top"><span>{me?.organization?.name}</span><b>{title ?? document.title.replace(/ · [^·]*$/, '')}</b><span>{formatInstant(now, locale)}</span></div>
}
