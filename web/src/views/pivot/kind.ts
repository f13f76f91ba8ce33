import { Grid3x3 } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default { name: 'pivot', order: 70, icon: Grid3x3, choices: [], View: lazy(() => withWords(() => import('./view'))) } satisfies ViewKind
