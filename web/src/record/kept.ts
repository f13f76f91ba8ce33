import { useEffect, useRef } from 'react'
import { placeErrors, type LineRow } from './draft'
import type { FieldError } from '@/api/http'

// What is being typed, over a reload that the program itself makes: after an upgrade. It stays in this tab.
const name = (place: string) => `kept ${place}`
export const keep = (): boolean => dispatchEvent(new Event('fondaco:keep'))
export const isKept = (place: string): boolean => sessionStorage.getItem(name(place)) !== null
export const forget = (place: string): void => sessionStorage.removeItem(name(place))

// The keys of added lines are counted anew on every page: those of the last one get another name, and so do the refusals that stand beside them.
const other = (k: string) => `w${k}`
function renamed<T extends { lines: Record<string, LineRow[]>; errors?: Record<string, string> }>(old: T): T {
  for (const rows of Object.values(old.lines)) for (const r of rows) if (!r.id) r._key = other(r._key)
  if (old.errors) old.errors = Object.fromEntries(Object.entries(old.errors).map(([k, v]) => [k.replace(/^([^.]+)\.(\w+)\./, (_, a, b) => `${a}.${other(b)}.`), v]))
  return old
}

/** Lays out what was refused for the form that opens next. */
export function mend(w: { key: string; entity: string; form: object; keysOf: Record<string, string[]>; refused?: { message: string; errors: FieldError[] } }): void {
  const said = w.refused ? { errors: placeErrors(w.refused.errors, w.keysOf), message: w.refused.message, from: w.key } : {}
  sessionStorage.setItem(name(`new ${w.entity}`), JSON.stringify({ ...w.form, ...said, key: crypto.randomUUID() }))
}

export function useKept<T extends { lines: Record<string, LineRow[]>; errors?: Record<string, string> }>(place: string, dirty: boolean, get: () => T, set: (was: T) => void): void {
  const now = useRef({ dirty, get })
  now.current = { dirty, get }
  useEffect(() => {
    const was = sessionStorage.getItem(name(place))
    if (!was) return
    forget(place)
    try {
      const old = JSON.parse(was) as T
      set(renamed(old))
    } catch { /* of another time */ }
  }, [place])
  useEffect(() => {
    const f = () => { if (now.current.dirty) try { sessionStorage.setItem(name(place), JSON.stringify(now.current.get())) } catch { /* too long to keep */ } }
    addEventListener('fondaco:keep', f)
    return () => removeEventListener('fondaco:keep', f)
  }, [place])
}
