/** A web address with the record's values in the places of {{fields}}, so that nothing in a value changes what the address means; nothing where it is none. */
export function linkOf(template: unknown, record: Record<string, unknown>): string | null {
  if (typeof template !== 'string') return null
  const url = template.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => { const v = record[name]; return encodeURIComponent(v === null || v === undefined ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v)) })
  try { return /^https?:$/.test(new URL(url).protocol) && /^https?:\/\//i.test(url) ? url : null } catch { return null }
}
