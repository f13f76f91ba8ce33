/** A formatted text without its marks: what fits in a cell. */
export const unmarked = (text: string): string =>
  text.replace(/^!(?=\[)/gm, '').replace(/\[((?:\\.|[^[\]\\])+)\]\([^)\s]+\)/g, '$1').replace(/\[((?:\\.|[^[\]\\])+)\]\([^)\s]+\)/g, '$1').replace(/(?<!\\)(?:\*\*([^*]+)\*\*|\*([^*]+)\*|~~([^~]+)~~|`([^`]+)`)/g, (_, a, b, c, d) => a ?? b ?? c ?? d)
    .replace(/^\s*(?:#{1,3}|[-*]|>)\s+|^\s*(?:`{3,}\w*|---)$/gm, '').replace(/\\\n/g, ' ').replace(/\\([!-/:-@[-`{-~])/g, '$1').replace(/\s*\n+\s*/g, ' · ').trim()

export interface Marked { text: string; from: number; to: number }
/** Puts marks around what is selected, or takes them off again. */
export function wrap(text: string, from: number, to: number, mark: string): Marked {
  const n = mark.length
  if (from >= n && text.slice(from - n, from) === mark && text.slice(to, to + n) === mark) return { text: text.slice(0, from - n) + text.slice(from, to) + text.slice(to + n), from: from - n, to: to - n }
  return { text: text.slice(0, from) + mark + text.slice(from, to) + mark + text.slice(to), from: from + n, to: to + n }
}
/** Puts a mark before each line that is selected, or takes it off again. */
export function prefix(text: string, from: number, to: number, mark: string): Marked {
  const start = text.lastIndexOf('\n', from - 1) + 1
  const end = text.indexOf('\n', to) < 0 ? text.length : text.indexOf('\n', to)
  const lines = text.slice(start, end).split('\n')
  const on = lines.every((l) => l.startsWith(mark))
  const made = lines.map((l) => (on ? l.slice(mark.length) : mark + l)).join('\n')
  return { text: text.slice(0, start) + made + text.slice(end), from: Math.max(start, from + (on ? -mark.length : mark.length)), to: to + made.length - (end - start) }
}
