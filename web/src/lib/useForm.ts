import { useState } from 'react'
import { messageOf, Problem } from '@/api/http'

/** Sends a form: busy while it is away, the server's refusals kept by field, what has no field in `message`. */
export function useSubmit<A extends unknown[]>(run: (...args: A) => Promise<void>) {
  const [busy, setBusy] = useState(false)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [message, setMessage] = useState('')
  const submit = async (...args: A): Promise<boolean> => {
    if (busy) return false
    setBusy(true); setErrors({}); setMessage('')
    try { await run(...args); return true } catch (e) {
      const byField: Record<string, string> = {}
      if (e instanceof Problem) for (const x of e.errors) if (x.field) byField[x.field] ??= x.message
      setErrors(byField)
      setMessage(messageOf(e))
      requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
      return false
    } finally { setBusy(false) }
  }
  return { submit, busy, errors, message, setErrors, setMessage }
}
