import { addDays } from '../days'
import { midnight, wallAt } from './when'

/** An hour as the clock shows it; `twice` where the clocks are put back and show it again. */
export interface Hour { hour: number; twice: boolean }
interface Real extends Hour { at: number }

const HOUR = 36e5
/** The hours that a day really has: 24, or one fewer or more where the clocks change. */
export function hoursOf(day: string, zone: string): Real[] {
  const end = midnight(addDays(day, 1), zone)
  const out: Real[] = []
  for (let t = midnight(day, zone); t < end; t += HOUR) {
    const hour = Number(wallAt(t, zone).slice(11, 13))
    out.push({ at: t, hour, twice: out.some((h) => h.hour === hour) })
  }
  return out
}

export class Hours {
  readonly slots: Hour[]
  private readonly real: Map<string, Real[]>
  /** The rows of a grid for these days: every hour that any of them has. */
  constructor(readonly days: string[], readonly zone: string) {
    this.real = new Map(days.map((d) => [d, hoursOf(d, zone)]))
    const slots: Hour[] = Array.from({ length: 24 }, (_, hour) => ({ hour, twice: false }))
    for (const h of [...this.real.values()].flat()) if (h.twice && !slots.some((s) => s.twice && s.hour === h.hour)) slots.splice(slots.findIndex((s) => s.hour === h.hour) + 1, 0, { hour: h.hour, twice: true })
    // A day all of these lack an hour of is drawn without it.
    this.slots = slots.filter((s) => days.length > 1 || this.real.get(days[0]!)!.some((r) => r.hour === s.hour && r.twice === s.twice))
  }
  has(day: string, slot: Hour): boolean { return !!this.real.get(day)?.some((r) => r.hour === slot.hour && r.twice === slot.twice) }
  /** How far down an instant stands in its day, in rows. */
  place(day: string, ms: number): number {
    const real = this.real.get(day) ?? []
    let r: Real | undefined
    for (const x of real) if (x.at <= ms) r = x
    if (!r) return 0
    if (ms >= r.at + HOUR) return this.slots.length
    const i = this.slots.findIndex((s) => s.hour === r.hour && s.twice === r.twice)
    return i + (ms - r.at) / HOUR
  }
  /** The instant at so many rows down a day: an hour it does not have is left out. */
  instant(day: string, rows: number): number {
    const real = this.real.get(day) ?? []
    const at = Math.max(0, Math.min(this.slots.length, rows))
    for (let i = Math.floor(at); i < this.slots.length; i++) {
      const s = this.slots[i]!
      const r = real.find((x) => x.hour === s.hour && x.twice === s.twice)
      if (r) return r.at + (i === Math.floor(at) ? (at - i) * HOUR : 0)
    }
    return real.length ? real.at(-1)!.at + HOUR : midnight(day, this.zone)
  }
}
