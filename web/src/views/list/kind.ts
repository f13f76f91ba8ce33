import { List } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

const NEVER = new Set(['json', 'tags', 'multiselect', 'file', 'textarea', 'uuid', 'richtext', 'location', 'signature', 'recurrence', 'users', 'address', 'button', 'autonumber'])
export default {
  name: 'list', order: 10, icon: List,
  choices: [{ key: 'group', fits: (f) => f.filterable !== false && !f.unique && !NEVER.has(f.type) }],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
