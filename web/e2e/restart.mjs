// On a server of its own. It dies under open pages, and comes back: they say so, know each other again, and nothing that was saved is gone. Then whoever guesses
// passwords is kept out, which counts for the address that he comes from.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { axe, chains, codeIn, equal, letters, page, PASSWORD, shot, truth } from './kit.mjs'

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
  const who = { email: 'ann@restart.test', password: PASSWORD }
  await open()
  const p = await page(browser)
  const ask = (method, path, body) => p.evaluate(async ([m, u, b]) => (await fetch(`/api/v1${u}`, { method: m, headers: { 'Content-Type': 'application/json' }, ...(b ? { body: JSON.stringify(b) } : {}) })).json().catch(() => null), [method, path, body])
  try {
    await chain('somebody works', async () => {
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
    await chain('after many wrong passwords the right one waits too, and the page says so', async () => {
      await p.getByRole('button', { name: /^Account of/ }).click()
      await p.getByRole('menuitem', { name: 'Log out' }).click()
      await p.waitForURL(/\/login/)
      const enter = async (password) => {
        await p.locator('input[name=email]').fill(who.email)
        await p.locator('input[name=password]').fill(password)
        const [answer] = await Promise.all([p.waitForResponse((r) => r.url().endsWith('/auth/login')), p.locator('button[type=submit]').click()])
        return answer.status()
      }
      const refused = []
      for (let i = 0; i < 11; i++) refused.push(await enter(`wrong-guess-${i}-of-eleven`))
      const shut = refused.indexOf(429)
      truth(shut > 4 && refused.every((r, i) => r === (i < shut ? 401 : 429)), refused.join())
      equal(await enter(who.password), 429)
      await p.getByText('Too many tries. Wait a little.').waitFor()
      await axe(p, 'a door that stays shut')
      await shot(p, 'restart-3-locked')
    })
  } finally {
    await p.context().close()
    await ended('SIGTERM')
    rmSync(data, { recursive: true, force: true })
  }
}
