import type { ExternalToast } from 'sonner'

// The part that shows messages is fetched with the first of them: most visits begin without one.
let want: () => void = () => {}
let shown: () => void = () => {}
/** Settled when there is a message to show, and when there is a place to show it in. */
export const wanted = new Promise<void>((done) => { want = done })
const ready = new Promise<void>((done) => { shown = done })
export const placed = (): void => shown()

let count = 0
const show = (kind: 'message' | 'success' | 'error' | 'loading') => (text: string, options: ExternalToast = {}): string | number => {
  const id = options.id ?? `t${++count}`
  want()
  void Promise.all([import('sonner'), ready]).then(([s]) => s.toast[kind](text, { ...options, id }))
  return id
}
export const toast = Object.assign(show('message'), {
  success: show('success'), error: show('error'), loading: show('loading'),
  dismiss: (id: string | number): void => void Promise.all([import('sonner'), ready]).then(([s]) => s.toast.dismiss(id)),
})
