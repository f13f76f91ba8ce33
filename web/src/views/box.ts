import { useLayoutEffect, useState, type RefObject } from 'react'

/** The inner size of an element, as it changes. `there` says that the element has come, where it is not drawn from the first. */
export function useBox(ref: RefObject<HTMLElement | null>, there = true): { w: number; h: number } {
  const [box, setBox] = useState({ w: 0, h: 0 })
  useLayoutEffect(() => {
    const el = ref.current
    if (!el) return
    const look = () => setBox((old) => (old.w === el.clientWidth && old.h === el.clientHeight ? old : { w: el.clientWidth, h: el.clientHeight }))
    look()
    const eye = new ResizeObserver(look)
    eye.observe(el)
    return () => eye.disconnect()
  }, [there])
  return box
}
