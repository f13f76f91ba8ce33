import type { Entity, Field } from '@/meta/types'

const LAT = /(^|[._])lat(itude)?$/
export const isLatitude = (f: Field): boolean => ['number', 'quantity'].includes(f.type) && LAT.test(f.name)
/** The other half of a place. */
export const longitudeOf = (lat: Field, e: Entity): Field | undefined => {
  const stem = lat.name.replace(LAT, '$1')
  return e.fields.find((f) => f !== lat && ['number', 'quantity'].includes(f.type) && f.name.startsWith(stem) && /^(lon|lng|longitude)$/.test(f.name.slice(stem.length)))
}

export const WIDE = 1000
export const HIGH = 490
const K = 500 / 2.7353
/** Natural Earth projection, as the outlines have it. */
export function project(lon: number, lat: number): [number, number] {
  const l = (lon * Math.PI) / 180
  const p = (lat * Math.PI) / 180
  const p2 = p * p
  const p4 = p2 * p2
  return [l * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4))) * K + 500, 240 - p * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4))) * K]
}
export interface Pin<T> { x: number; y: number; what: T }
export interface Cluster<T> { x: number; y: number; pins: Pin<T>[] }
/** Pins that would lie over each other stand as one. */
export function clusters<T>(pins: Pin<T>[], near: number): Cluster<T>[] {
  const cells = new Map<string, Cluster<T>>()
  for (const p of pins) {
    const key = `${Math.floor(p.x / near)},${Math.floor(p.y / near)}`
    const c = cells.get(key)
    if (c) { c.x = (c.x * c.pins.length + p.x) / (c.pins.length + 1); c.y = (c.y * c.pins.length + p.y) / (c.pins.length + 1); c.pins.push(p) } else cells.set(key, { x: p.x, y: p.y, pins: [p] })
  }
  const out: Cluster<T>[] = []
  for (const c of cells.values()) {
    const by = out.find((o) => Math.hypot(o.x - c.x, o.y - c.y) < near * 0.7)
    if (by) { const n = by.pins.length + c.pins.length; by.x = (by.x * by.pins.length + c.x * c.pins.length) / n; by.y = (by.y * by.pins.length + c.y * c.pins.length) / n; by.pins.push(...c.pins) } else out.push(c)
  }
  return out
}
