import './carry.css'
import { useEffect, useRef, type RefObject } from 'react'

const FAR = 5
const HOLD = 320
const EDGE = 48

interface Hooks<T> { take: (what: T, card: HTMLElement) => boolean; over: (place: HTMLElement | null) => void; drop: () => void; cancel: () => void }

/** Carrying with the pointer: a mouse takes by moving, a finger by resting, so that it can still scroll. */
export function useCarry<T>(scroller: RefObject<HTMLElement | null>, ghost: RefObject<HTMLElement | null>, place: string, hooks: Hooks<T>): (e: React.PointerEvent<HTMLElement>, what: T) => void {
  const on = useRef(false)
  const now = useRef(hooks)
  now.current = hooks
  const end = useRef<() => void>(() => {})
  useEffect(() => {
    const el = scroller.current
    // Known before the finger comes down, or the browser has begun to scroll by then.
    const still = (e: Event) => { if (on.current) e.preventDefault() }
    el?.addEventListener('touchmove', still, { passive: false })
    return () => { el?.removeEventListener('touchmove', still); end.current() }
  }, [])
  return (e, what) => {
    if (e.button !== 0 || !e.isPrimary || on.current) return
    const card = e.currentTarget
    const finger = e.pointerType !== 'mouse'
    const box = card.getBoundingClientRect()
    const from = { x: e.clientX, y: e.clientY }
    let at = from
    let frame = 0
    let turn = Infinity
    const show = () => {
      if (ghost.current) { ghost.current.style.width = `${box.width}px`; ghost.current.style.transform = `translate(${box.left + at.x - from.x}px,${box.top + at.y - from.y}px)` }
      now.current.over(document.elementFromPoint(at.x, at.y)?.closest<HTMLElement>(place) ?? null)
    }
    const edges = () => {
      const el = scroller.current
      if (!on.current || !el) return
      const r = el.getBoundingClientRect()
      const by = at.x > r.right - EDGE ? 1 : at.x < r.left + EDGE ? -1 : 0
      // A narrow screen turns whole pages, and lets the finger leave the edge before the next.
      if (!by) turn = Infinity
      else if (finger) { turn = Math.min(turn, Date.now() + 300); if (Date.now() >= turn) { turn = Date.now() + 900; el.scrollBy({ left: by * el.clientWidth * 0.86, behavior: matchMedia('(prefers-reduced-motion:reduce)').matches ? 'auto' : 'smooth' }) } } else el.scrollLeft += by * 14
      if (by) show()
      frame = requestAnimationFrame(edges)
    }
    const begin = () => {
      if (!now.current.take(what, card)) { stop(); return }
      on.current = true
      document.body.classList.add('carrying')
      requestAnimationFrame(show)
      frame = requestAnimationFrame(edges)
    }
    const timer = finger ? setTimeout(begin, HOLD) : undefined
    const move = (m: PointerEvent) => {
      if (m.pointerId !== e.pointerId) return
      at = { x: m.clientX, y: m.clientY }
      const far = Math.hypot(at.x - from.x, at.y - from.y) > FAR
      if (on.current) show()
      else if (far && finger) stop()
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
      now.current.drop()
    }
    const lost = () => { const carried = on.current; stop(); if (carried) now.current.cancel() }
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
