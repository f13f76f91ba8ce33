import type { CSSProperties, HTMLAttributes, PointerEvent, ReactNode, RefObject, KeyboardEvent } from 'react'
import type { Locale } from '@/lib/format'
import type { Entity, Field, Row } from '@/meta/types'
import type { Gesture } from '../gesture'
import { whenOf, type Edge, type Times, type When } from './when'

export interface Item { row: Row; when: When }
/** What is carried or stretched: when it was, and when it would be. */
export interface Held { row: Row; was: When; now: When; mode: 'move' | Edge; keys: boolean }

/** What the month, the hours and the agenda share. */
export interface Calendar {
  entity: Entity; locale: Locale; items: Item[]; days: string[]; day: string; today: string; span: 'month' | 'week' | 'day' | 'agenda'; times: Times
  held: Held | null; openId: string | undefined; narrow: boolean; pending: boolean; second: Field | undefined; mayCreate: boolean; label: string
  scroller: RefObject<HTMLDivElement | null>
  gesture: (e: PointerEvent<HTMLElement>, g: Gesture) => void
  hue: (row: Row) => string
  words: (item: Item, withTime?: boolean) => ReactNode
  grip: (edge: Edge, down: (e: PointerEvent<HTMLElement>) => void) => ReactNode
  grabDays: (e: PointerEvent<HTMLElement>, item: Item, mode: Held['mode']) => void
  take: (item: Item, mode: Held['mode'], keys: boolean) => boolean
  put: (now: When) => void
  drop: () => void
  letGo: () => void
  dayKeys: (e: KeyboardEvent, day: string) => void
  create: (from: string, to: string, at?: number, till?: number) => void
  go: (day: string, span?: 'month' | 'week' | 'day' | 'agenda') => void
  /** It would lie on this day. */
  over: (day: string) => boolean
  event: (item: Item, tab: boolean, className: string, style: CSSProperties | undefined, inside: HTMLAttributes<HTMLDivElement>) => ReactNode
}

/** A record, once for each time that it comes back in the days asked for. */
export function itemsOf(row: Row, t: Times): Item[] {
  const told = row._occurrences as { start: string; end: string | null }[] | undefined
  return (told ?? [undefined]).flatMap((o): Item[] => {
    const when = whenOf(o ? { ...row, [t.start.name]: o.start, ...(t.end ? { [t.end.name]: o.end } : {}) } : row, t)
    return when ? [{ row, when }] : []
  })
}
