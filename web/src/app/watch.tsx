import { useRouterState } from '@tanstack/react-router'
import { CloudOff, RefreshCw } from 'lucide-react'
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocale } from '@/lib/format'
import { keep } from '@/record/kept'
import { toast } from '@/lib/toast'
import { tryNow, useLive, useLost } from './live'
import { isOld, isTyping } from './upgrade'

const reload = () => { keep(); location.reload() }
const HOUR = 3_600_000

/** What goes on beside the page: the stream, whether the server is there, whether it has become a newer one. */
export default function Watch() {
  const { t } = useTranslation()
  const locale = useLocale()
  const lost = useLost()
  const [old, setOld] = useState(false)
  const path = useRouterState({ select: (s) => s.location.pathname })
  const look = useCallback(async () => {
    if (!(await isOld())) return
    if (isTyping()) setOld(true)
    else reload()
  }, [])
  useLive(useCallback(() => void look(), [look]))
  useEffect(() => { const timer = setInterval(() => void look(), HOUR); return () => clearInterval(timer) }, [look])
  // What was typed is saved by the next page, or was not to be kept.
  const first = useRef(path)
  useEffect(() => { if (old && path !== first.current && !isTyping()) reload(); first.current = path }, [path, old])
  const was = useRef(lost)
  useEffect(() => {
    if (was.current !== null && lost === null) toast.success(t('line.back'))
    was.current = lost
  }, [lost, t])
  if (lost !== null) return <Notice icon={<CloudOff size={15} aria-hidden="true" />} text={t('line.lostSince', { time: new Intl.DateTimeFormat(locale.locale, { timeStyle: 'short', timeZone: locale.zone }).format(lost) })}><button type="button" className="btn sm" onClick={tryNow}>{t('line.now')}</button></Notice>
  if (old) return <Notice icon={<RefreshCw size={15} aria-hidden="true" />} text={t('line.newer')}><button type="button" className="btn sm" onClick={reload}>{t('line.reload')}</button></Notice>
  return null
}

function Notice({ icon, text, children }: { icon: ReactNode; text: string; children: ReactNode }) {
  return <div role="status" className="flex items-center gap-2 px-3 py-1.5 border border-line rounded-lg bg-raised no-print flex-none md:mb-2">{icon}<span className="flex-1 min-w-0">{text}</span>{children}</div>
}
