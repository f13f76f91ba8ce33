import { Paperclip } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default { name: 'review', order: 45, icon: Paperclip, choices: [], alone: true, View: lazy(() => withWords(() => import('./view'))) } satisfies ViewKind
