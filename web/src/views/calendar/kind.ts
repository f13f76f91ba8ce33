import { CalendarDays } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { ViewKind } from '../kind'

export default {
  name: 'calendar', order: 30, icon: CalendarDays, alone: true,
  choices: [
    { key: 'date', required: true, fits: (f) => f.type === 'date' || f.type === 'datetime', preset: (e) => e.views?.calendar },
    { key: 'end', fits: (f) => f.type === 'date' || f.type === 'datetime' },
    { key: 'recurrence', fits: (f) => f.type === 'recurrence' },
    { key: 'colour', fits: (f, e) => !!f.options?.length || f.name === e.states?.field },
  ],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
