import { lazy, type ComponentType } from 'react'
import { withWords } from '@/i18n'
import type { Entity } from '@/meta/types'

export interface SettingsProps { value: Record<string, unknown>; onChange: (v: Record<string, unknown>) => void; entity: Entity | undefined; /** The field is there already. */ made: boolean }
const part = (load: () => Promise<{ default: ComponentType<SettingsProps> }>) => lazy(() => withWords(load))
/** What a type asks for when a field is made, beside choices. */
export const SETTINGS: Record<string, ComponentType<SettingsProps>> = {
  autonumber: part(() => import('./autonumber')),
  button: part(() => import('./button')),
}
