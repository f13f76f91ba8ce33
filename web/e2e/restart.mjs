// A server that dies under open pages, and comes back: they say so, know each other again, and nothing that was saved is gone.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chains, codeIn, equal, letters, page, shot } from './kit.mjs'

const PROGRAM = fileURLToPath(new URL('../../target/debug/fondaco', import.meta.url))

const free = () => new Promise((done) => { const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)) }) })

export async function restart(browser) {
  const chain = chains()
  const data = mkdtempSync(join(tmpdir(), 'fondaco-restart-'))
  // PostgreSQL is somebody else where the program runs as root.
  chmodSync(data, 0o711)
  const base = `http://127.0.0.1:${await free()}`
  let server
  const open = async () => {
    server = spawn(PROGRAM, ['serve'], { env: { ...process.env, FONDACO_DATA: data, FONDACO_LISTEN: base.slice(7), FONDACO_OUTBOX: join(data, 'outbox'), DATABASE_URL: undefined }, stdio: 'ignore' })
    for (let i = 0; i < 240; i++) {
      if (await fetch(`${base}/readyz`).then((r) => r.ok, () => false)) return
      await new Promise((r) => setTimeout(r, 500))
    }
    throw new Error('the server did not open within two minutes')
  }
  const ended = (signal) => new Promise((done) => { server.once('exit', done); server.kill(signal) })
  await open()
  const p = await page(browser)
  const ask = (method, path, body) => p.evaluate(async ([m, u, b]) => (await fetch(`/api/v1${u}`, { method: m, headers: { 'Content-Type': 'application/json' }, body: b && JSON.stringify(b) })).json().catch(() => null), [method, path, body])
  try {
    await chain('somebody works', async () => {
      const who = { email: 'ann@restart.test', password: 'correct-horse-battery-9' }
      await p.goto(`${base}/login`)
      await ask('POST', '/auth/register', { ...who, first_name: 'Ann', last_name: 'Stone' })
      let code
      for (let i = 0; i < 80 && !code; i++) {
        const [letter] = letters(who.email, 0, join(data, 'outbox'))
        if (letter) code = codeIn(letter)
        else await p.waitForTimeout(250)
      }
      await ask('POST', '/auth/verify', { email: who.email, code })
      await ask('POST', '/auth/login', who)
      await ask('POST', '/organizations', { name: 'House of Storms', country: 'KZ', currency: 'KZT', time_zone: 'Asia/Almaty' })
      await ask('POST', '/parties/parties', { name: 'Saved before', is_customer: true })
      await p.goto(`${base}/o/parties-parties`)
      await p.locator('.g-row[data-id]', { hasText: 'Saved before' }).waitFor()
      await p.waitForTimeout(1000)
    })
    await chain('the server is killed: the page says that it is gone, and shows what it has', async () => {
      await ended('SIGKILL')
      await p.getByText(/^No connection since/).waitFor({ timeout: 60_000 })
      await p.locator('.g-row[data-id]', { hasText: 'Saved before' }).waitFor()
      await shot(p, 'restart-1-gone')
    })
    await chain('it comes back: the page says so, hears of others again, and works on', async () => {
      await open()
      await p.getByText('Connected again').waitFor({ timeout: 60_000 })
      await p.getByText(/^No connection since/).waitFor({ state: 'detached' })
      // Of another tab, without being asked.
      const other = await p.context().newPage()
      await other.goto(`${base}/`)
      await other.evaluate(() => fetch('/api/v1/parties/parties', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Saved after","is_customer":true}' }))
      await p.locator('.g-row[data-id]', { hasText: 'Saved after' }).waitFor({ timeout: 30_000 })
      equal((await ask('GET', '/parties/parties?sort=name')).data.map((r) => r.name).join(), 'Saved after,Saved before')
      await shot(p, 'restart-2-back')
      await other.close()
    })
  } finally {
    await p.context().close()
    await ended('SIGTERM')
    rmSync(data, { recursive: true, force: true })
  }
}
