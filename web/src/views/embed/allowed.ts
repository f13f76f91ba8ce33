/** Whether pages of others may be framed here, by what the server says of this page. */
export function mayFrame(policy: string | null, url: string): boolean {
  if (!policy) return true
  const all = new Map(policy.split(';').map((d) => { const [name = '', ...sources] = d.trim().split(/\s+/); return [name.toLowerCase(), sources] as const }))
  const sources = all.get('frame-src') ?? all.get('child-src') ?? all.get('default-src')
  if (!sources) return true
  const { host, origin } = new URL(url)
  return sources.some((s) => s === '*' || s === 'https:' || s === origin || s === host || (s.replace(/^https:\/\//, '').startsWith('*.') && host.endsWith(s.replace(/^https:\/\//, '').slice(1))))
}
/** Only pages that come over a closed line; anything else stays text. */
export function safeUrl(v: unknown): string | null {
  if (typeof v !== 'string') return null
  try { const u = new URL(v); return u.protocol === 'https:' ? u.href : null } catch { return null }
}
