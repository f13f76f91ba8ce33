// node tools/budget.mjs, after a build: what the first screen costs in scripts and styles, compressed, and the largest part.
import { readFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'

const FIRST = 200_000
const EACH = 180_000
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
// A table, in English, to a person who is signed in.
const FIRST_SCREEN = ['index.html', 'src/app/shell.tsx', 'src/views/object.tsx', 'src/i18n/en.json']

const size = (file) => brotliCompressSync(readFileSync(new URL(file, dist))).length
const files = new Set()
const seen = new Set()
const take = (key) => {
  const part = manifest[key]
  if (!part) throw new Error(`${key} is not in the build`)
  if (seen.has(key)) return
  seen.add(key)
  for (const f of [part.file, ...(part.css ?? [])]) files.add(f)
  part.imports?.forEach(take)
}
FIRST_SCREEN.forEach(take)

const kb = (n) => `${(n / 1000).toFixed(1)} KB`
const first = [...files].reduce((n, f) => n + size(f), 0)
const [name, largest] = [...new Set(Object.values(manifest).map((p) => p.file))].filter((f) => /\.(js|css)$/.test(f)).map((f) => [f, size(f)]).sort((a, b) => b[1] - a[1])[0]
console.log(`first screen ${kb(first)} of ${kb(FIRST)} in ${files.size} files; largest part ${name} ${kb(largest)} of ${kb(EACH)}`)
if (first > FIRST || largest > EACH) process.exitCode = 1
