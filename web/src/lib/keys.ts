import { useEffect, useRef } from 'react'

/** How the key of commands is called where the person sits. */
export const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl '

type Handler = (e: KeyboardEvent) => void

const typing = (e: KeyboardEvent) => {
  const t = e.target as HTMLElement | null
  return !!t?.closest('input:not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable=true]')
}

/** Single keys work anywhere but in a text field or under a dialog; "mod+k" works everywhere. */
export function useKeys(map: Record<string, Handler>, on = true): void {
  const ref = useRef(map)
  ref.current = map
  useEffect(() => {
    if (!on) return
    const down = (e: KeyboardEvent) => {
      const mod = e.metaKey || e.ctrlKey
      const key = (mod ? 'mod+' : '') + (e.key.length === 1 ? e.key.toLowerCase() : e.key)
      const f = ref.current[key]
      if (!f || e.altKey || e.defaultPrevented) return
      if (!mod && (typing(e) || document.querySelector('[role=dialog][data-state=open][data-modal],[role=menu]'))) return
      if (key === 'mod+z' && typing(e)) return
      e.preventDefault()
      f(e)
    }
    addEventListener('keydown', down)
    return () => removeEventListener('keydown', down)
  }, [on])
}
