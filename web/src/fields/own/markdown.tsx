import type { FieldType } from '../registry'
import { lazyInput } from './later'
import richtext from './richtext'

export default { ...richtext, Input: lazyInput(() => import('./parts/markdown')) } satisfies FieldType
