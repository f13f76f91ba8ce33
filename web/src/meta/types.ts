export interface Option { id: string; label: string; color?: string | null; icon?: string | null }
export interface Field {
  name: string; label: string; help?: string | null; type: string
  /** The type as it was chosen: how the field is shown and written, where `type` is what it is kept as. */
  look?: string | null; settings?: Record<string, unknown> | null; of?: string | null
  required: boolean; readonly: boolean; access: 'read' | 'write'
  default?: unknown; min?: string | number | null; max?: string | number | null; max_length?: number | null; scale?: number | null
  options?: Option[] | null
  ref?: { entity: string; title_field?: string | null; relation?: string | null } | null
  filterable: boolean; sortable: boolean; custom: boolean; unique: boolean
  currency_field?: string | null
  system?: boolean
  /** Kept nowhere: how it follows from other fields. */
  computed?: string
  /** The field is there, or must be filled in, where these hold of the record. */
  visible_when?: Condition | Rule | null; required_when?: Condition | Rule | null
}
export interface Can { create: boolean; update: boolean; delete: boolean; export: boolean; import: boolean; talk: boolean }
export interface EntityIndex { name: string; label: string; plural: string; icon?: string | null; page?: '/bank' | null; title_field: string | null; module: string; list: string[]; can: Can; part_of: string | null }
export interface Module { name: string; title: string; icon?: string | null; entities: (string | { name: string })[] }
export interface Meta { version: string; locale: string; modules: Module[]; entities: Record<string, EntityIndex>; reports?: ModuleReports[] }
/** A module's reports, and what their rows and options are called. */
export interface ModuleReports { module: string; title: string; icon?: string | null; words: Record<string, string>; reports: { name: string; label: string; icon?: string | null; help?: string | null }[] }
export interface Move { action: string; label: string; from: string | string[]; to: string }
/** What an action asks for. Only name and type are sure; `lines` asks for quantities of the record's own lines. */
export interface ActionField {
  name: string; type: string; label?: string | null; help?: string | null; required?: boolean; default?: unknown; default_field?: string | null; entity?: string | null
  options?: (string | Option)[] | null; part?: string | null; quantity?: string | null; of?: string | null
}
export interface ActionSpec { name: string; label: string; from?: string[] | null; fields?: ActionField[] | null; style?: string | null; confirm?: string | null }
export interface Lines { name: string; entity: string; fk: string; label?: string }
export interface Related { entity: string; field: string; label?: string | null; by?: string }
export interface Entity {
  name: string; label: string; plural: string; description?: string | null; icon?: string | null; module?: string
  title_field: string | null; list: string[]; form: string[][]; search: boolean; document: boolean
  fields: Field[]; lines: Lines[]; states?: { field: string; options: Option[]; moves: Move[] } | null
  actions: ActionSpec[]; views?: Record<string, unknown>; import_call?: string | null; can: Can; related?: Related[]
}
export type Row = Record<string, unknown> & { id: string; version?: number }
export type Rule = { field: string; operator: string; value?: unknown }
export type Condition = { operator: 'AND' | 'OR'; rules: (Rule | Condition)[] }
export const isRule = (r: Rule | Condition): r is Rule => 'field' in r
