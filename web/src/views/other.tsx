import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Empty } from '@/ui/basics'
import { chosen, kinds, missing, type ViewProps } from './kind'
import type { Options } from './state'

/** Records as anything but a table. */
export default function OtherView({ kind: name, options, empty, onTable, ...props }: Omit<ViewProps, 'by' | 'options'> & { kind: string; options: Options | undefined; empty: ReactNode; onTable: () => void }) {
  const { t } = useTranslation()
  const kind = kinds.find((k) => k.name === name)
  const lacks = kind && missing(props.entity, kind)
  if (!kind || lacks) return (
    <Empty title={kind ? t('views.cannot', { kind: t(`views.as_${kind.name}`), name: props.entity.plural }) : t('views.unknown')} text={lacks && t(`views.needs_${lacks.key}`)}>
      <button type="button" className="btn" onClick={onTable}>{t('views.as_table')}</button>
    </Empty>
  )
  if (empty && !kind.alone) return empty
  return <kind.View {...props} by={chosen(props.entity, kind, options)} options={options ?? {}} />
}
