import { LayoutDashboard } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default { name: 'dashboard', order: 75, icon: LayoutDashboard, choices: [], alone: true, View: lazy(() => withWords(() => import('./view'))) } satisfies ViewKind
