import { lazy, Suspense } from 'react'
import { withWords } from '@/i18n'
import type { FieldType } from '../registry'
import { choiceOperators, text } from '../shared'
import { lazyInput } from './later'

const Named = lazy(() => withWords(() => import('./parts/named-icon')))
export default { Cell: ({ value }) => (value ? <Suspense><Named name={text(value)} /></Suspense> : null), Input: lazyInput(() => import('./parts/icon')), format: text, operators: choiceOperators, width: 90 } satisfies FieldType
