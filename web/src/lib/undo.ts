import { toast } from './toast'
import i18next from 'i18next'
import { messageOf } from '@/api/http'

// Undo is the reverse write with the new version, never a delayed send: the server may refuse it, and then says why.
/** `false`: it has only begun, and says itself when it is done. */
type Back = () => Promise<void | false>
interface Step { label: string; back: Back; toast: string | number }
const stack: Step[] = []

export function done(label: string, back?: Back): void {
  if (!back) { toast.success(label); return }
  const step: Step = { label, back, toast: 0 }
  step.toast = toast.success(label, { duration: 7000, action: { label: i18next.t('undo'), onClick: () => void take(step) } })
  stack.push(step)
  if (stack.length > 50) stack.shift()
}

export function undoLast(): void {
  const step = stack.at(-1)
  if (step) void take(step)
}

async function take(step: Step): Promise<void> {
  const i = stack.indexOf(step)
  if (i < 0) return
  stack.splice(i, 1)
  toast.dismiss(step.toast)
  try {
    if ((await step.back()) !== false) toast(i18next.t('undone'))
  } catch (e) {
    toast.error(messageOf(e))
  }
}
