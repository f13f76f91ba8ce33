import './gesture.css'
import { useEffect, useRef, type RefObject } from 'react'

const FAR = 4
const HOLD = 320
const EDGE = 40

export interface Point { x: number; y: number }
export interface Gesture {
  /** Begins where the pointer came down; false leaves it. */
  take: (from: Point) => boolean
  move: (at: Point) => void
  drop: () => void
  cancel: () => void
  /** A finger need not rest first: for handles, from which nothing scrolls. */
  atOnce?: boolean
  /** Follows the pointer. */
  ghost?: RefObject<HTMLElement | null>
  /** How the scroller goes along when the pointer is at its edge; by pages where columns fill a narrow screen and one carries with a finger. */
  along?: 'x' | 'y' | 'pages'
}

/** What lies under the pointer. */
export const placeAt = (p: Point, selector: string): HTMLElement | null => document.elementFromPoint(p.x, p.y)?.closest<HTMLElement>(selector) ?? null

/** Makes the scroller go along while the pointer is at its edge; says whether it is. */
function follower(along: NonNullable<Gesture['along']>, finger: boolean): (el: HTMLElement, at: Point) => boolean {
  const step = finger ? 6 : 12
  let turn = Infinity
  return (el, at) => {
    const r = el.getBoundingClientRect()
    const [p, from, to] = along === 'y' ? [at.y, r.top, r.bottom] : [at.x, r.left, r.right]
    const by = p > to - EDGE ? 1 : p < from + EDGE ? -1 : 0
    if (along === 'y') el.scrollTop += by * step
    else if (along === 'x' || !finger) el.scrollLeft += by * step
    // A page at a time lets the finger leave the edge before the next.
    else if (!by) turn = Infinity
    else if (Date.now() >= (turn = Math.min(turn, Date.now() + 300))) { turn = Date.now() + 900; el.scrollBy({ left: by * el.clientWidth * 0.86, behavior: matchMedia('(prefers-reduced-motion:reduce)').matches ? 'auto' : 'smooth' }) }
    return by !== 0
  }
}

/** Drawing, carrying and stretching with the pointer, told by where it is. A mouse begins by moving, a finger by resting, so that it can still scroll. */
export function useGesture(scroller: RefObject<HTMLElement | null>): (e: React.PointerEvent<HTMLElement>, g: Gesture) => void {
  const on = useRef(false)
  const end = useRef<() => void>(() => {})
  useEffect(() => {
    // Known before the finger comes down, or the browser has begun to scroll by then.
    const still = (e: Event) => { if (on.current) e.preventDefault() }
    document.addEventListener('touchmove', still, { passive: false })
    return () => { document.removeEventListener('touchmove', still); end.current() }
  }, [])
  return (e, g) => {
    if (e.button !== 0 || !e.isPrimary || on.current) return
    end.current()
    const finger = e.pointerType !== 'mouse'
    const box = e.currentTarget.getBoundingClientRect()
    const from = { x: e.clientX, y: e.clientY }
    let at = from
    let frame = 0
    const along = g.along && follower(g.along, finger)
    const show = () => {
      const el = g.ghost?.current
      if (el) { el.style.width = `${Math.min(box.width, 320)}px`; el.style.transform = `translate(${box.width > 320 ? at.x - 40 : box.left + at.x - from.x}px,${box.top + at.y - from.y}px)` }
      g.move(at)
    }
    const edges = () => {
      const el = scroller.current
      if (!on.current || !el || !along) return
      if (along(el, at)) show()
      frame = requestAnimationFrame(edges)
    }
    const begin = () => {
      if (!g.take(from)) { stop(); return }
      on.current = true
      document.body.classList.add('carrying')
      requestAnimationFrame(() => on.current && show())
      if (along) frame = requestAnimationFrame(edges)
    }
    const timer = finger && !g.atOnce ? setTimeout(begin, HOLD) : undefined
    const move = (m: PointerEvent) => {
      if (m.pointerId !== e.pointerId) return
      at = { x: m.clientX, y: m.clientY }
      const far = Math.hypot(at.x - from.x, at.y - from.y) > FAR
      if (on.current) show()
      else if (far && finger && !g.atOnce) stop()
      else if (far) begin()
    }
    const up = (m: PointerEvent) => {
      if (m.pointerId !== e.pointerId) return
      const carried = on.current
      stop()
      if (!carried) return
      // What was let go of is not pressed too.
      const swallow = (c: Event) => { c.stopPropagation(); c.preventDefault() }
      addEventListener('click', swallow, { capture: true, once: true })
      setTimeout(() => removeEventListener('click', swallow, { capture: true }), 0)
      g.drop()
    }
    const lost = () => { const carried = on.current; stop(); if (carried) g.cancel() }
    const escape = (k: KeyboardEvent) => { if (k.key === 'Escape' && on.current) { k.preventDefault(); k.stopPropagation(); lost() } }
    const menu = (c: Event) => { if (finger) c.preventDefault() }
    const stop = () => {
      clearTimeout(timer); cancelAnimationFrame(frame)
      on.current = false
      document.body.classList.remove('carrying')
      removeEventListener('pointermove', move); removeEventListener('pointerup', up); removeEventListener('pointercancel', lost); removeEventListener('keydown', escape, true); removeEventListener('contextmenu', menu)
    }
    end.current = stop
    addEventListener('pointermove', move); addEventListener('pointerup', up); addEventListener('pointercancel', lost); addEventListener('keydown', escape, true); addEventListener('contextmenu', menu)
  }
}
