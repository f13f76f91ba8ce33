import { Link } from '@tanstack/react-router'
import { ChevronDown, ChevronUp, Maximize2, X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { queryClient } from '@/api/session'
import { useEntity } from '@/meta/hooks'
import type { Row } from '@/meta/types'
import { Failure, Skeleton } from '@/ui/basics'
import { RecordMenu } from './menu'
import { RecordView } from './view'

export default function RecordPanel({ entity: name, id, tab, onTab, onStep, onClose }: { entity: string; id: string; tab: string | undefined; onTab: (t: string) => void; onStep: (by: number) => void; onClose: () => void }) {
  const { t } = useTranslation()
  const { data: entity, error } = useEntity(name)
  const box = useRef<HTMLElement>(null)
  useEffect(() => { box.current?.focus({ preventScroll: true }) }, [])
  return (
    <aside ref={box} tabIndex={-1} aria-label={t('record.panel', { name: entity?.label ?? '' })} className="w-[460px] flex-none border-s border-line bg-surface flex flex-col min-h-0 outline-none max-md:fixed max-md:inset-0 max-md:w-full max-md:z-40 max-lg:absolute max-lg:inset-y-0 max-lg:end-0 max-lg:z-20" style={{ outline: 'none' }}
      onKeyDown={(e) => { if (e.key === 'Escape' && !e.defaultPrevented) { e.preventDefault(); onClose() } }}>
      <div className="flex items-center gap-0.5 h-11 ps-4 pe-2 border-b border-line flex-none no-print">
        <span className="flex-1 text-muted truncate text-xs">{entity?.label}</span>
        <button type="button" className="btn ghost icon sm max-md:hidden" aria-label={t('record.previous')} onClick={() => onStep(-1)}><ChevronUp size={16} /></button>
        <button type="button" className="btn ghost icon sm max-md:hidden" aria-label={t('record.next')} onClick={() => onStep(1)}><ChevronDown size={16} /></button>
        <Link className="btn ghost icon sm text-fg" aria-label={t('record.expand')} to="/o/$entity/r/$id" params={{ entity: name, id }} search={tab ? { tab } : {}}><Maximize2 size={14} /></Link>
        {entity && <RecordMenu entity={entity} id={id} version={queryClient.getQueryData<Row>(['record', name, id])?.version} onGone={onClose} />}
        <button type="button" className="btn ghost icon sm" aria-label={t('close')} onClick={onClose}><X size={16} /></button>
      </div>
      {error ? <Failure error={error} /> : entity ? <RecordView entity={entity} id={id} wide={false} tab={tab} onTab={onTab} /> : <Skeleton />}
    </aside>
  )
}
