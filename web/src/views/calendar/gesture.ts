import '../carry.css'
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
  /** Which ways the scroller goes along when the pointer is at its edge. */
  along?: 'x' | 'y'
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
    const show = () => {
      const el = g.ghost?.current
      if (el) { el.style.width = `${Math.min(box.width, 320)}px`; el.style.transform = `translate(${box.width > 320 ? at.x - 40 : box.left + at.x - from.x}px,${box.top + at.y - from.y}px)` }
      g.move(at)
    }
    const edges = () => {
      const el = scroller.current
      if (!on.current || !el) return
      const r = el.getBoundingClientRect()
      const step = finger ? 6 : 12
      const by = g.along === 'x' ? (at.x > r.right - EDGE ? step : at.x < r.left + EDGE ? -step : 0) : at.y > r.bottom - EDGE ? step : at.y < r.top + EDGE ? -step : 0
      if (by) { if (g.along === 'x') el.scrollLeft += by; else el.scrollTop += by; show() }
      frame = requestAnimationFrame(edges)
    }
    const begin = () => {
      if (!g.take(from)) { stop(); return }
      on.current = true
      document.body.classList.add('carrying')
      requestAnimationFrame(() => on.current && show())
      if (g.along) frame = requestAnimationFrame(edges)
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
