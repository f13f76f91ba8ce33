import { Activity } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default { name: 'activity', order: 90, icon: Activity, choices: [], alone: true, View: lazy(() => withWords(() => import('./view'))) } satisfies ViewKind
