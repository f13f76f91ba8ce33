import { asPlace, degrees } from '@/fields/own/location'
import type { CellProps, FieldType } from '../registry'
import { lazyInput } from './later'
import { emptiness, one, text } from '../shared'

const format: FieldType['format'] = (v) => {
  const place = asPlace(v)
  if (!place) return text(v)
  const km = (v as { km?: number }).km
  return `${km ? `${km} km · ` : ''}${place.label ?? degrees(place)}`
}
function Cell({ value, field, locale, link, plain }: CellProps) {
  const place = asPlace(value)
  if (!place) return null
  const said = format(value, field, locale)
  if (plain) return <span className="txt">{said}</span>
  return <a className="link txt" href={`https://www.openstreetmap.org/?mlat=${place.lat}&mlon=${place.lon}#map=15/${place.lat}/${place.lon}`} target="_blank" rel="noreferrer noopener" title={degrees(place)} tabIndex={link ? 0 : -1} onClick={(e) => e.stopPropagation()}>{said}</a>
}
export default { Cell, Input: lazyInput(() => import('./parts/location')), Filter: lazyInput(() => import('./parts/near')), format, operators: [...one('within_km'), ...emptiness], width: 170, wide: true } satisfies FieldType
