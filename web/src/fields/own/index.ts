import type { FieldType } from '../registry'

const modules = import.meta.glob<{ default: FieldType }>(['./*.tsx', '!./later.tsx'], { eager: true })
/** The types that few tables have: they come together when the first field of one is met. */
export const own: Record<string, FieldType> = Object.fromEntries(Object.entries(modules).map(([file, m]) => [file.slice(2, -4), m.default]))
