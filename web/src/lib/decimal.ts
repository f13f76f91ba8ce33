// Decimals travel as strings and never pass through a float: what a person typed is what the server gets.

export function separators(locale: string): { decimal: string; group: string } {
  const parts = new Intl.NumberFormat(locale).formatToParts(1234567.8)
  return {
    decimal: parts.find((p) => p.type === 'decimal')?.value ?? '.',
    group: parts.find((p) => p.type === 'group')?.value ?? ',',
  }
}

/** "1 234,50" in the person's locale → "1234.50"; null when it is not a number. */
export function parseDecimal(text: string, locale: string): string | null {
  const { decimal, group } = separators(locale)
  let s = text.trim().replace(/[\s\u00a0\u202f'’]/g, '').replace(/−/g, '-')
  if (s === '') return null
  if (decimal === ',') {
    // A lone dot is read as a decimal point too: people paste from everywhere.
    if (s.includes(',')) s = s.replaceAll('.', '').replace(',', '.')
  } else if (group === ',' || s.includes('.')) {
    s = s.replaceAll(',', '')
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(s)) return null
  const negative = s.startsWith('-')
  s = s.replace(/^[+-]/, '')
  const [whole = '', part = ''] = s.split('.')
  const head = whole.replace(/^0+(?=\d)/, '') || '0'
  return (negative ? '-' : '') + head + (part ? '.' + part : '')
}

/** The decimal as a person would type it: no grouping, their decimal mark, no idle zeros beyond `keep` digits. */
export function editDecimal(value: unknown, locale: string, keep = 0): string {
  if (value === null || value === undefined || value === '') return ''
  return trimZeros(String(value), keep).replace('.', separators(locale).decimal)
}

export function trimZeros(value: string, keep = 0): string {
  if (!/^-?\d+(\.\d+)?$/.test(value)) return value
  const [whole = '', part = ''] = value.split('.')
  let digits = part.replace(/0+$/, '')
  if (digits.length < keep) digits = digits.padEnd(keep, '0')
  return digits ? `${whole}.${digits}` : whole
}
