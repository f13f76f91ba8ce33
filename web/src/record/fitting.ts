import { compile, kindOf, understood, type Clock, type Test } from '@/lib/condition'
import { fieldOf } from '@/meta/hooks'
import type { Condition, Entity, Field, Rule } from '@/meta/types'

export type Fit = (rows: Field[][], values: Record<string, unknown>) => Field[][]

/** Which fields are there for a record of these values, and which of them it must have. The server judges again when it is
 *  sent; what only the server can ask leaves a field there, and not required. */
export function fitting(entity: Entity, zone: string): Fit {
  const clock: Clock = { now: new Date(), zone }
  const kinds = (name: string) => { const f = fieldOf(entity, name); return f && kindOf(f.type) }
  const test = (c: Condition | Rule | null | undefined): Test | null => (c && understood(c, kinds, clock) ? compile(c, kinds, clock) : null)
  const asking = entity.fields.filter((f) => f.visible_when || f.required_when).map((f) => ({ name: f.name, visible: test(f.visible_when), required: f.required_when ? test(f.required_when) ?? (() => false) : null }))
  return (rows, values) => {
    // What is not there holds nothing, and others may rest on that.
    const held = { ...values }
    const gone = new Set<string>()
    for (let more = true; more;) {
      const going = asking.filter((f) => f.visible && !gone.has(f.name) && !f.visible(held))
      for (const f of going) { gone.add(f.name); held[f.name] = null }
      more = going.length > 0
    }
    const wanted = new Map(asking.flatMap((f) => (f.required ? [[f.name, f.required(held)] as const] : [])))
    return rows
      .map((row) => row.filter((f) => !gone.has(f.name)).map((f) => { const required = wanted.get(f.name) ?? f.required; return required === f.required ? f : { ...f, required } }))
      .filter((row) => row.length)
  }
}
