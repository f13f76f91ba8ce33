import { formatDate, formatNumber, type Locale } from '@/lib/format'

/** One step of a reckoning: which it is, what goes in, and what comes out. */
export interface Step { step: string; result?: string; [what: string]: unknown }

export const stepsOf = (value: unknown): Step[] | undefined => {
  const steps = (value as { steps?: unknown } | null)?.steps
  return Array.isArray(steps) && steps.length > 0 && steps.every((s) => typeof (s as Step | null)?.step === 'string') ? (steps as Step[]) : undefined
}

/** Numbers and days in the reader's way; names as they are. */
export function readable(said: unknown, l: Locale): string {
  const text = said === null || said === undefined ? '' : String(said)
  if (/^-?\d+(\.\d+)?$/.test(text)) return formatNumber(text, l, text.includes('.') ? { min: 2 } : {})
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? formatDate(text, l) : text
}
