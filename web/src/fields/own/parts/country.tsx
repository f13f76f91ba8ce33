import { useMemo } from 'react'
import { useLocale } from '@/lib/format'
import { countries } from '@/lib/places'
import type { InputProps } from '../../registry'
import { Choice } from './choice'

export default function CountryInput(p: InputProps) {
  const { locale } = useLocale()
  return <Choice p={p} options={useMemo(() => countries(locale), [locale])} />
}
