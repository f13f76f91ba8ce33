import { Columns3 } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Popover, Skeleton } from '@/ui/basics'
import type { ColumnProps } from './column-list'

const ColumnList = lazy(() => import('./column-list'))

export function ColumnChooser(p: ColumnProps) {
  const { t } = useTranslation()
  return (
    <Popover width={300} label={t('columns.title')} trigger={<button type="button" className="btn ghost sm"><Columns3 size={14} />{t('columns.title')}</button>}>
      <Suspense fallback={<Skeleton rows={8} />}><ColumnList {...p} /></Suspense>
    </Popover>
  )
}
