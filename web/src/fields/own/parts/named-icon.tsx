import { useTranslation } from 'react-i18next'
import { EntityIcon } from '@/ui/icon'

export default function NamedIcon({ name }: { name: string }) {
  const { t } = useTranslation()
  const said = t(`icons.${name}`, name)
  return <span className="inline-flex" title={said}><EntityIcon name={name} size={16} /><span className="visually-hidden">{said}</span></span>
}
