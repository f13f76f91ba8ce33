import { lazy, Suspense, type ComponentType } from 'react'
import { withWords } from '@/i18n'
import type { InputProps } from '../registry'

/** An input that comes when somebody wants to write, with its words. */
export function lazyInput(load: () => Promise<{ default: ComponentType<InputProps> }>): ComponentType<InputProps> {
  const Part = lazy(() => withWords(load))
  return (p) => <Suspense fallback={<span className="skel block" style={{ blockSize: 32 }} />}><Part {...p} /></Suspense>
}
