import type { LucideIcon } from 'lucide-react'
import type { ComponentType, RefObject } from 'react'
import type { ListParams } from '@/api/records'
import { fieldOf } from '@/meta/hooks'
import type { Entity, Field, Row } from '@/meta/types'
import type { Options, ViewHandle } from './state'

/** What a view gets, whatever its kind. Rows it fetches itself, with `params`, as much as is in sight. */
export interface ViewProps {
  entity: Entity
  /** The columns that were chosen, for what a card shows. */
  columns: Field[]
  params: ListParams
  /** The fields that it goes by, by the key of the choice. */
  by: Record<string, Field | undefined>
  /** All that was chosen, also what is no field. */
  options: Options
  onOptions: (part: Options) => void
  /** Where in time it looks: of the address, never of the saved view. */
  on: string | undefined
  span: string | undefined
  onGo: (on: string, span?: string) => void
  openId: string | undefined
  onOpen: (row: Row) => void
  onCreate: (preset: Record<string, unknown>) => void
  onEscape: () => void
  /** Puts what was picked in this view into the filter of all of them. */
  onFilter: (rules: { field: string; operator: string; value?: unknown }[]) => void
  handle: RefObject<ViewHandle | null>
}

/** A field that a view goes by: the words for it are `views.by_<key>`, those for its absence `views.needs_<key>`. */
export interface Choice {
  key: string
  fits: (field: Field, entity: Entity) => boolean
  required?: boolean
  /** What the module's author had in mind, out of the entity's `views`. */
  preset?: (entity: Entity) => unknown
}

/** A way to look at records: a folder `views/<name>` with `kind.ts` that exports one of these. The words are `views.as_<name>`. */
export interface ViewKind {
  name: string
  /** Its place among the others. */
  order: number
  icon: LucideIcon
  choices: Choice[]
  /** What must be true of the entity itself: the words for its absence are `views.needs_<name>`. */
  fits?: (entity: Entity) => boolean
  /** Says itself that there is nothing, as a calendar does. */
  alone?: boolean
  View: ComponentType<ViewProps>
}

const found = import.meta.glob<ViewKind>('./*/kind.ts', { eager: true, import: 'default' })
export const kinds: ViewKind[] = Object.values(found).sort((a, b) => a.order - b.order)

export const choicesOf = (e: Entity, choice: Choice): Field[] => e.fields.filter((f) => choice.fits(f, e))
/** What an entity lacks for a view; nothing when it can be shown so. */
export const missing = (e: Entity, kind: ViewKind): { key: string } | undefined => kind.fits?.(e) === false ? { key: kind.name } : kind.choices.find((c) => c.required && !choicesOf(e, c).length)

/** The fields that a view goes by: as was chosen, else as the author meant, else, where one is needed, the first that fits. */
export function chosen(e: Entity, kind: ViewKind, options: Options | undefined): Record<string, Field | undefined> {
  return Object.fromEntries(kind.choices.map((c) => {
    const fitting = choicesOf(e, c)
    // "None" was chosen, which goes before what the author meant.
    if (!c.required && options?.[c.key] === '') return [c.key, undefined]
    const named = [options?.[c.key], c.preset?.(e)].map((n) => (n ? fitting.find((f) => f.name === n) : undefined)).find((f) => f)
    return [c.key, named ?? (c.required ? fitting[0] : undefined)]
  }))
}
/** The views that the author of an entity names come first. */
export const named = (e: Entity, kind: ViewKind): boolean => (kind.choices.some((c) => c.required && !!c.preset?.(e) && !!fieldOf(e, String(c.preset(e)))) || e.views?.[kind.name] === true) && !missing(e, kind)
