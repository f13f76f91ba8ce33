/** EAN-8, UPC-A, EAN-13 and GTIN-14 end with a digit that checks the others. Null: no such code. */
export function checks(code: string): boolean | null {
  if (!/^(\d{8}|\d{12}|\d{13}|\d{14})$/.test(code)) return null
  const digits = [...code].map(Number)
  const last = digits.pop()!
  const sum = digits.toReversed().reduce((n, d, i) => n + d * (i % 2 ? 1 : 3), 0)
  return (10 - (sum % 10)) % 10 === last
}
