import { useEffect, useRef } from 'react'
import { newKey, type LineRow } from './draft'

// What is being typed, over a reload that the program itself makes: after an upgrade. It stays in this tab.
const name = (place: string) => `kept ${place}`
export const keep = (): boolean => dispatchEvent(new Event('fondaco:keep'))
export const isKept = (place: string): boolean => sessionStorage.getItem(name(place)) !== null
export const forget = (place: string): void => sessionStorage.removeItem(name(place))

export function useKept<T extends { lines: Record<string, LineRow[]> }>(place: string, dirty: boolean, get: () => T, set: (was: T) => void): void {
  const now = useRef({ dirty, get })
  now.current = { dirty, get }
  useEffect(() => {
    const was = sessionStorage.getItem(name(place))
    if (!was) return
    forget(place)
    try {
      const old = JSON.parse(was) as T
      // The keys of added lines are counted anew from here.
      for (const rows of Object.values(old.lines)) for (const r of rows) if (!r.id) r._key = newKey()
      set(old)
    } catch { /* of another time */ }
  }, [place])
  useEffect(() => {
    const f = () => { if (now.current.dirty) try { sessionStorage.setItem(name(place), JSON.stringify(now.current.get())) } catch { /* too long to keep */ } }
    addEventListener('fondaco:keep', f)
    return () => removeEventListener('fondaco:keep', f)
  }, [place])
}
