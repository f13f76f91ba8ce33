import { LocateFixed } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { asPlace, degrees, parsePlace } from '@/fields/own/location'
import type { InputProps } from '../../registry'
import { aria, text, useAutoFocus } from '../../shared'

/** Typed, pasted from a map, or from the device, which asks the person first. */
export default function LocationInput(p: InputProps) {
  const { t } = useTranslation()
  const ref = useAutoFocus<HTMLInputElement>(p.autoFocus)
  const place = asPlace(p.value)
  const [draft, setDraft] = useState<string | null>(null)
  const [name, setName] = useState(place?.label ?? '')
  const [says, setSays] = useState('')
  const put = (lat: number, lon: number, label: string) => p.onChange({ lat, lon, ...(label.trim() ? { label: label.trim() } : {}) })
  const change = (s: string) => {
    setDraft(s)
    setSays('')
    const at = parsePlace(s)
    if (!s.trim()) p.onChange(null)
    else if (at) { if (at.label) setName(at.label); put(at.lat, at.lon, at.label ?? name) } else p.onChange(s)
  }
  const locate = () => {
    setSays(t('place.asking'))
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => { setSays(''); setDraft(null); put(Number(coords.latitude.toFixed(6)), Number(coords.longitude.toFixed(6)), name) },
      () => setSays(t('place.refused')), { enableHighAccuracy: true, timeout: 15_000 })
  }
  return (
    <div className="w-full">
      <div className="flex flex-wrap gap-2">
        <input ref={ref} {...aria(p)} className="input num" style={{ flex: '1 1 180px', inlineSize: 'auto' }} placeholder="43.238949, 76.889709" autoComplete="off" value={draft ?? (place ? degrees(place) : text(p.value))} onChange={(e) => change(e.target.value)} onBlur={() => { if (place) setDraft(null) }} />
        <input className="input" style={{ flex: '1 1 140px', inlineSize: 'auto' }} aria-label={t('place.name')} placeholder={t('place.name')} maxLength={200} disabled={!place} value={name} onChange={(e) => { setName(e.target.value); if (place) put(place.lat, place.lon, e.target.value) }} />
        {'geolocation' in navigator && <button type="button" className="btn" onClick={locate}><LocateFixed size={15} />{t('place.here')}</button>}
      </div>
      <div role="status" className="text-muted text-xs">{says}</div>
    </div>
  )
}
