export interface Place { lat: number; lon: number; label?: string }
export const asPlace = (v: unknown): Place | null => (v && typeof v === 'object' && typeof (v as Place).lat === 'number' && typeof (v as Place).lon === 'number' ? (v as Place) : null)
/** "43.24, 76.95, Almaty" as it is copied from a map. */
export function parsePlace(said: string): Place | null {
  const m = /^\s*(-?\d{1,3}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*(?:,\s*(.*))?$/.exec(said)
  if (!m) return null
  const [lat, lon] = [Number(m[1]), Number(m[2])]
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon, ...(m[3]?.trim() ? { label: m[3].trim() } : {}) } : null
}
export const degrees = (p: Place): string => `${p.lat}, ${p.lon}`
/** The great circle, in kilometres. */
export function kilometres(a: Place, b: Place): number {
  const rad = (d: number) => (d * Math.PI) / 180
  const h = Math.sin(rad(b.lat - a.lat) / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(rad(b.lon - a.lon) / 2) ** 2
  return 2 * 6371.0088 * Math.asin(Math.min(1, Math.sqrt(h)))
}
