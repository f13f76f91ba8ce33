import { useTranslation } from 'react-i18next'
import { Labelled } from '@/ui/basics'
import type { SettingsProps } from '.'

/** What is written on it, and whether it opens a web address or moves the record on. */
export default function Button({ value, onChange, entity }: SettingsProps) {
  const { t } = useTranslation()
  const { label = '', url = '', action } = value as { label?: string; url?: string; action?: string }
  const moves = [...new Map(entity?.states?.moves.map((m) => [m.action, m.label])).entries()]
  const said = label ? { label } : {}
  return (
    <div className="grid grid-cols-2 gap-4">
      <Labelled label={t('fields.buttonSays')}>{(p) => <input {...p} className="input" maxLength={40} value={label} onChange={(e) => { const { label: _, ...rest } = value; onChange(e.target.value ? { ...rest, label: e.target.value } : rest) }} />}</Labelled>
      <Labelled label={t('fields.buttonDoes')}>{(p) => <select {...p} className="input" value={action === undefined ? 'url' : 'action'} onChange={(e) => onChange(e.target.value === 'url' ? { ...said, url: '' } : { ...said, action: moves[0]![0] })}><option value="url">{t('fields.opens')}</option>{moves.length > 0 && <option value="action">{t('fields.moves')}</option>}</select>}</Labelled>
      {action === undefined ? (
        <div className="col-span-2">
          <Labelled label={t('fields.address')} required help={t('fields.addressHelp', { example: '{{name}}' })}>{(p) => <input {...p} className="input" inputMode="url" placeholder="https://" value={url} onChange={(e) => onChange({ ...said, url: e.target.value })} />}</Labelled>
          <select className="input !w-auto max-w-full mt-2" aria-label={t('fields.insert')} value="" onChange={(e) => onChange({ ...said, url: `${url}{{${e.target.value}}}` })}><option value="">{t('fields.insert')}</option>{entity?.fields.filter((f) => f.filterable).map((f) => <option key={f.name} value={f.name}>{f.label}</option>)}</select>
        </div>
      ) : <Labelled label={t('fields.move')}>{(p) => <select {...p} className="input" value={action} onChange={(e) => onChange({ ...said, action: e.target.value })}>{moves.map(([name, title]) => <option key={name} value={name}>{title}</option>)}</select>}</Labelled>}
    </div>
  )
}
