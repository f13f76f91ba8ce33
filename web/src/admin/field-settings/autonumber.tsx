import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { Labelled } from '@/ui/basics'
import type { SettingsProps } from '.'

/** What stands before the number, how long it is, and where it starts. */
export default function Autonumber({ value, onChange, made }: SettingsProps) {
  const { t } = useTranslation()
  const { prefix = '', digits = 4, start = 1 } = value as { prefix?: string; digits?: number; start?: number }
  useEffect(() => { if (!made) onChange({ digits, start, ...value }) }, [])
  const number = (key: string, now: number, most: number) => (p: object) => <input {...p} className="input num" type="number" min={0} max={most} value={now} onChange={(e) => onChange({ ...value, [key]: Number(e.target.value) })} />
  return (
    <div className="grid grid-cols-3 gap-4">
      <Labelled label={t('fields.prefix')}>{(p) => <input {...p} className="input" maxLength={20} value={prefix} onChange={(e) => onChange({ ...value, prefix: e.target.value })} />}</Labelled>
      <Labelled label={t('fields.digits')}>{number('digits', digits, 12)}</Labelled>
      {!made && <Labelled label={t('fields.start')}>{number('start', start, 1_000_000_000)}</Labelled>}
      <p className="col-span-3 text-muted m-0">{t('fields.numberLike', { n: prefix + String(start).padStart(digits, '0') })}</p>
    </div>
  )
}
