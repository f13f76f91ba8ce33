import { Landmark } from 'lucide-react'
import { lazy } from 'react'
import { withWords } from '@/i18n'
import type { Entity, Field } from '@/meta/types'
import type { ViewKind } from '../kind'
import { groupable } from '../pivot/cube'

const isMoney = (e: Entity, n: string): boolean => e.fields.some((f) => f.name === n && f.type === 'money')
/** What the list shows is what the records come to; other money of theirs is a part of it. */
const tells = (f: Field, e: Entity): boolean => f.type === 'money' && !f.system && (e.list.includes(f.name) || !e.list.some((n) => isMoney(e, n)))

export default {
  name: 'financial', order: 130, icon: Landmark,
  choices: [
    { key: 'day', required: true, fits: (f, e) => (f.type === 'date' || f.type === 'datetime') && !f.system && groupable(e).includes(f) },
    { key: 'amount', required: true, fits: tells },
    { key: 'category', fits: (f, e) => groupable(e).includes(f) && !f.system && f.type !== 'date' && f.type !== 'datetime', preset: (e) => e.fields.find((f) => f.type === 'select' && /direction|category|kind|type/.test(f.name))?.name },
  ],
  View: lazy(() => withWords(() => import('./view'))),
} satisfies ViewKind
