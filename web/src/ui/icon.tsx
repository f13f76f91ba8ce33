import { createElement, useSyncExternalStore } from 'react'

// Asked for at once, awaited by nothing: the words come first, each icon has its place kept.
let icons: typeof import('./icons') | null = null
const waiting = new Set<() => void>()
void import('./icons').then((m) => { icons = m; waiting.forEach((f) => f()) })
const wait = (f: () => void) => { waiting.add(f); return () => waiting.delete(f) }

/** What a module or an entity is known by. */
export function EntityIcon({ name, size = 16, className }: { name: string | null | undefined; size?: number; className?: string }) {
  const known = useSyncExternalStore(wait, () => icons)
  return known ? createElement(known.iconNamed(name), { size, className, 'aria-hidden': true }) : <span className="flex-none" style={{ width: size, height: size }} />
}
