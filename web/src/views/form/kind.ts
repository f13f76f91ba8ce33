import { NotebookPen } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default { name: 'form', order: 100, icon: NotebookPen, choices: [], alone: true, View: lazy(() => withWords(() => import('./view'))) } satisfies ViewKind
