import { Link } from '@tanstack/react-router'
import { CircleCheck, FileSpreadsheet } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { messageOf, post } from '@/api/http'
import { refresh } from '@/api/records'
import type { Entity } from '@/meta/types'
import { Labelled, Progress } from '@/ui/basics'

/** Lines sent at once: a large file is a matter of seconds each, and of none too many. */
const LINES = 250
/** The file in parts, each with the heading. */
export function slices(text: string): string[] {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((l, i) => i === 0 || l.trim() !== '')
  const out: string[] = []
  for (let i = 0; i < lines.length || i === 0; i += LINES) out.push([head, ...lines.slice(i, i + LINES)].join('\n'))
  return out
}

/** A file that the module reads itself, at once: there is nothing to map. */
export function DirectImport({ entity }: { entity: Entity }) {
  const { t } = useTranslation()
  const [source, setSource] = useState('')
  const [busy, setBusy] = useState<{ done: number; total: number } | null>(null)
  const [problem, setProblem] = useState('')
  const [done, setDone] = useState<{ read: number; made: number } | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const take = async (file: File) => {
    setBusy({ done: 0, total: 1 }); setProblem(''); setDone(null)
    const sum = { read: 0, made: 0 }
    try {
      const parts = slices(await file.text())
      for (const [i, text] of parts.entries()) {
        setBusy({ done: i, total: parts.length })
        const told = await post<{ read: number; made: number }>(`/${entity.module}/_call/${entity.import_call}`, { text, after: i * LINES, ...(source.trim() ? { source: source.trim() } : {}) })
        sum.read += told.read; sum.made += told.made
      }
    } catch (e) { setProblem(messageOf(e)) }
    // What came before a line that is not understood stays, and a second try leaves it as it is.
    if (sum.read) setDone(sum)
    refresh(entity.name)
    setBusy(null)
  }
  const choose = <button type="button" className="btn primary" disabled={!!busy} aria-busy={!!busy} onClick={() => input.current?.click()}><FileSpreadsheet size={15} aria-hidden="true" />{t(done ? 'import.another' : 'chooseFile')}</button>
  return (
    <>
      <p className="mt-0 mb-4 max-w-[70ch]">{t('import.direct')}</p>
      {problem && <div className="note bad mb-4" role="alert">{problem}</div>}
      {done && <p className="note mb-4 flex items-center gap-2" role="status"><CircleCheck size={18} className="text-good flex-none" aria-hidden="true" />{t('import.directDone', { count: done.read, made: done.made })}</p>}
      {busy && <div className="mb-4 max-w-[480px]"><p className="text-muted mb-1.5" role="status">{t('import.directBusy')}</p><Progress {...busy} label={t('import.directBusy')} /></div>}
      <Labelled label={t('import.source')} className="max-w-[280px] mb-4">{(p) => <input {...p} className="input" maxLength={50} value={source} onChange={(e) => setSource(e.target.value)} />}</Labelled>
      <div className="flex gap-2 flex-wrap">
        {choose}
        {done && <Link className="btn no-underline" to="/o/$entity" params={{ entity: entity.name }} search={{}}>{t('import.see')}</Link>}
        <input ref={input} type="file" accept=".csv,text/csv" hidden aria-label={t('chooseFile')} onChange={(e) => { const f = e.target.files?.[0]; e.target.value = ''; if (f) void take(f) }} />
      </div>
    </>
  )
}
