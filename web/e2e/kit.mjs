// What every journey needs: a browser, a person, the letters, a way to look.
import { readdirSync, readFileSync, statSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const here = dirname(fileURLToPath(import.meta.url))
export const BASE = (process.env.BASE_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
export const OUT = join(here, 'out')
const OUTBOX = process.env.FONDACO_OUTBOX ?? join(here, '../../data/outbox')
mkdirSync(OUT, { recursive: true })

let watched = null
export const results = { passed: 0, failed: 0 }
/** The next tests of the journey stand on this one: when it fails they fail at once and say so. */
export const chains = () => {
  let broken = ''
  return (name, run) => test(name, async () => { if (broken) throw new Error(`needs “${broken}”`); try { await run() } catch (e) { broken = name; throw e } })
}
export async function test(name, run) {
  const began = Date.now()
  try {
    await run()
    results.passed++
    console.log(`ok     ${name} · ${((Date.now() - began) / 1000).toFixed(1)} s`)
  } catch (e) {
    results.failed++
    await watched?.screenshot({ path: join(OUT, `failed-${results.failed}.png`) }).catch(() => {})
    console.log(`FAILED ${name}\n       ${String(e?.message ?? e).split('\n').slice(0, 12).join('\n       ')}`)
  }
}
export function equal(actual, expected, what = '') {
  if (actual !== expected) throw new Error(`${what ? what + ': ' : ''}expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`)
}
export function truth(value, what) {
  if (!value) throw new Error(what)
}

export async function open() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  })
}

export async function page(browser, { theme = 'light', locale = 'en-US', width = 1440, height = 900, zone = 'Asia/Almaty', reducedMotion = 'reduce', touch = false, workers = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale, timezoneId: zone, reducedMotion, hasTouch: touch, isMobile: touch, serviceWorkers: workers ? 'allow' : 'block' })
  const p = await context.newPage()
  p.setDefaultTimeout(12_000)
  p.problems = []
  if (process.env.DEBUG) p.on('response', async (r) => { if (r.status() >= 400) console.log(`       ${r.status()} ${r.request().method()} ${r.url()} ${(await r.text().catch(() => '')).slice(0, 400)}`) })
  watched = p
  // A refusal is part of the work; a question that the server does not understand, or breaks on, is a fault.
  p.on('response', (r) => { if (r.status() >= 500 || (r.status() === 400 && (r.request().method() === 'GET' || r.url().endsWith('/_aggregate')))) p.problems.push(`${r.status()} ${r.request().method()} ${r.url()}`) })
  p.on('pageerror', (e) => p.problems.push(`page error: ${e.message}`))
  p.on('console', (m) => { if (/Content Security Policy|Refused to/.test(m.text())) p.problems.push(m.text()) })
  return p
}

export const shot = (p, name) => p.screenshot({ path: join(OUT, `${name}.png`) })

/** All letters to somebody since then, decoded, the newest first. */
export function letters(to, after, outbox = OUTBOX) {
  let files = []
  try { files = readdirSync(outbox, { recursive: true }).map(String).filter((f) => f.endsWith('.eml')).map((f) => join(outbox, f)) } catch { /* not there yet */ }
  return files.map((f) => ({ f, at: statSync(f).mtimeMs })).filter((x) => x.at >= after - 1500).sort((a, b) => b.at - a.at).map((x) => readFileSync(x.f, 'utf8')).filter((t) => t.toLowerCase().includes(to.toLowerCase())).map(decode)
}
/** The newest letter to somebody, decoded. */
export async function letter(to, after) {
  for (let i = 0; i < 80; i++) {
    const [found] = letters(to, after)
    if (found) return found
    await new Promise((r) => setTimeout(r, 250))
  }
  throw new Error(`no letter to ${to} in ${OUTBOX}`)
}
function decode(eml) {
  const [head = '', ...rest] = eml.split(/\r?\n\r?\n/)
  const body = rest.join('\n\n')
  if (/content-type:\s*multipart/i.test(head)) return eml
  if (/content-transfer-encoding:\s*base64/i.test(head)) return Buffer.from(body.replace(/\s/g, ''), 'base64').toString('utf8')
  if (/content-transfer-encoding:\s*quoted-printable/i.test(eml)) return Buffer.from(body.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, h) => String.fromCharCode(parseInt(h, 16))), 'latin1').toString('utf8')
  return body
}
/** The code stands alone on its line. */
export const codeIn = (text) => {
  const code = text.split(/\r?\n/).map((l) => l.trim()).find((l) => /^[A-Z0-9]{6,12}$/.test(l))
  truth(code, `no code in the letter:\n${text}`)
  return code
}

export const fresh = (name) => `${name}.${Date.now().toString(36)}${Math.floor(Math.random() * 1e4)}@e2e.test`
export const PASSWORD = 'correct-horse-battery-9'

/** Registers somebody, reads the code from the letter, makes a company. */
export async function newcomer(p, email, company) {
  const at = Date.now()
  await p.goto(`${BASE}/register`)
  await p.getByLabel('First name').fill('Aigerim')
  await p.getByLabel('Last name').fill('Sadykova')
  await p.getByLabel('E-mail').fill(email)
  await p.getByLabel('Password').fill(PASSWORD)
  await p.getByRole('button', { name: 'Create account' }).click()
  await p.waitForURL(/\/verify/)
  const code = codeIn(await letter(email, at))
  await p.getByLabel('Code').fill(code)
  await p.getByRole('button', { name: 'Confirm' }).click()
  await p.waitForURL(/\/onboarding/)
  await p.getByLabel('Company name').fill(company)
  await p.getByLabel('Country').selectOption('KZ')
  await p.getByLabel('Currency').selectOption('KZT')
  await p.getByLabel('Time zone').selectOption('Asia/Almaty')
  await p.getByRole('button', { name: 'Create company' }).click()
  await p.getByRole('navigation', { name: 'Main menu' }).waitFor()
}

/** In whatever language and width the screen is. */
export async function signIn(p, email, password = PASSWORD) {
  await p.goto(`${BASE}/login`)
  await p.locator('input[name=email]').fill(email)
  await p.locator('input[name=password]').fill(password)
  await p.locator('button[type=submit]').click()
  await p.locator('#main h1').waitFor()
}

/** The API as the page's own person, for setting a scene. */
export async function api(p, method, path, body, headers = {}) {
  const answer = await p.evaluate(async ([m, u, b, h]) => {
    const r = await fetch(`/api/v1${u}`, { method: String(m), headers: { 'Content-Type': 'application/json', ...h }, body: b === undefined ? null : JSON.stringify(b) })
    const text = await r.text()
    let data = null
    try { data = text ? JSON.parse(text) : null } catch { data = text }
    return { status: r.status, data }
  }, [method, path, body, headers])
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.data)}`)
  return answer.data
}

/** What the day's trade leaves behind, for a journey that is run without it. */
export async function scene(p) {
  const customer = await api(p, 'POST', '/parties/parties', { name: 'Orbit Energy LLP', is_customer: true })
  const product = await api(p, 'POST', '/products/products', { name: 'Pallet rack', price: '10000' })
  const order = await api(p, 'POST', '/sales/orders', { customer_id: customer.id, lines: [{ product_id: product.id, quantity: '3' }] })
  await api(p, 'POST', `/sales/orders/${order.id}/confirm`, {}, { 'If-Match': `"${order.version}"` })
  const { version } = await api(p, 'GET', `/sales/orders/${order.id}`)
  await api(p, 'POST', `/sales/orders/${order.id}/invoice`, {}, { 'If-Match': `"${version}"` })
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** axe over the whole page; a violation says where. */
export async function axe(p, what) {
  await p.evaluate(axeSource)
  const found = await p.evaluate(async () => {
    const r = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return r.violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`).join(' | ')}`)
  })
  equal(found.join('\n'), '', what)
}

/** Types into the relation picker of this label and takes the first hit. */
export async function pick(p, label, text, scope = p) {
  const box = scope.getByRole('combobox', { name: label }).first()
  await box.click()
  await box.fill(text)
  await p.getByRole('option', { name: text }).first().click()
}

/** The window to choose a file that `open` opens. The browser opens none while it still closes the one before. */
export async function chooserOf(p, open) {
  let chooser
  const come = p.waitForEvent('filechooser').then((c) => { chooser = c })
  for (let i = 0; i < 10; i++) {
    if (chooser) break
    await open()
    await Promise.race([come, p.waitForTimeout(1000)])
  }
  await come
  return chooser
}
