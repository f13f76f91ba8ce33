/** What a record is called, as far as its row says. */
export const titleOf = (record: Record<string, unknown>): string => { for (const k of ['name', 'number', 'title', 'label', 'code']) { const v = record[k]; if (typeof v === 'string' && v) return v } return '' }
