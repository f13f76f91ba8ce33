/** The action that a number names: the first is 1. Nothing while somebody writes, or with a key held that means something else. */
export function actionAt(key: string, count: number, e: { ctrlKey: boolean; metaKey: boolean; altKey: boolean; target: EventTarget | null }): number | undefined {
  if (e.ctrlKey || e.metaKey || e.altKey || !/^[1-9]$/.test(key)) return undefined
  if (e.target instanceof Element && e.target.closest('input, textarea, select, [contenteditable], [role=dialog]')) return undefined
  const n = Number(key) - 1
  return n < count ? n : undefined
}

/** Where to look when the list has become so short. */
export const placeAfter = (at: number, now: number): number => Math.max(0, Math.min(at, now - 1))
