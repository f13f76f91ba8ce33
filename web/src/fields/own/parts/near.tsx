import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { asPlace, degrees, parsePlace } from '@/fields/own/location'
import type { InputProps } from '../../registry'
import { useAutoFocus } from '../../shared'

/** So many kilometres around a place. */
export default function Near(p: InputProps) {
  const { t } = useTranslation()
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus)
  const was = asPlace(p.value)
  const [place, setPlace] = useState(was ? degrees(was) : '')
  const [km, setKm] = useState(String((p.value as { km?: number } | null)?.km ?? 10))
  const change = (s: string, far: string) => {
    setPlace(s)
    setKm(far)
    const at = parsePlace(s)
    const n = Number(far.replace(',', '.'))
    p.onChange(at && far.trim() && n >= 0 && n <= 20_100 ? { lat: at.lat, lon: at.lon, km: n } : null)
  }
  return (
    <div className="flex flex-col gap-2">
      <input ref={ref} className="input num" aria-label={p.label ?? t('place.centre')} placeholder="43.238949, 76.889709" value={place} onChange={(e) => change(e.target.value, km)} />
      <label className="flex items-center gap-2"><input className="input num" style={{ inlineSize: 90 }} inputMode="decimal" value={km} onChange={(e) => change(place, e.target.value)} />{t('place.km')}</label>
    </div>
  )
}
