// Signing in with a second factor: set up, asked for, a recovery code instead of it.
import { createHmac } from 'node:crypto'
import { api, axe, BASE, chains, equal, fresh, newcomer, page, PASSWORD, shot } from './kit.mjs'

/** RFC 6238: six digits of every half a minute. */
function codeOf(secret, at = Date.now()) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const hash = createHmac('sha1', key).update(step).digest()
  const from = hash[19] & 15
  return String((hash.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

export async function signin(browser) {
  const chain = chains()
  const p = await page(browser)
  const email = fresh('careful')
  await newcomer(p, email, 'Careful Trading')
  const enter = async (password) => {
    await p.locator('input[name=email]').fill(email)
    await p.locator('input[name=password]').fill(password)
    await p.locator('button[type=submit]').click()
  }
  const leave = async () => {
    await p.getByRole('button', { name: /^Account of/ }).click()
    await p.getByRole('menuitem', { name: 'Log out' }).click()
    await p.waitForURL(/\/login/)
  }
  let secret
  let kept

  await chain('a second factor is set up with the code that the app shows, and its spare codes are told once', async () => {
    await p.goto(`${BASE}/settings/security`)
    await p.getByRole('button', { name: 'Set up' }).click()
    secret = (await p.getByLabel('Secret', { exact: true }).innerText()).replace(/\s/g, '')
    await p.getByLabel('One-time code').fill('000000')
    await p.getByRole('button', { name: 'Turn on' }).click()
    await p.getByLabel('One-time code').and(p.locator('[aria-invalid=true]')).waitFor()
    await p.getByLabel('One-time code').fill(codeOf(secret))
    await axe(p, 'setting up a second factor')
    await p.getByRole('button', { name: 'Turn on' }).click()
    const dialog = p.getByRole('dialog', { name: 'Recovery codes' })
    kept = (await dialog.getByLabel('Recovery codes', { exact: true }).and(p.locator('pre')).innerText()).trim().split(/\s+/)
    await shot(p, 'signin-1-codes')
    await dialog.getByRole('button', { name: 'I have kept it' }).click()
    equal((await api(p, 'GET', '/me')).user.totp_enabled, true)
  })

  await chain('from then on the password alone opens nothing', async () => {
    await leave()
    await enter(PASSWORD)
    await p.getByRole('heading', { name: 'One more step' }).waitFor()
    await axe(p, 'the second factor')
    await shot(p, 'signin-2-second')
    await p.getByLabel('One-time code').fill('000000')
    await p.locator('button[type=submit]').click()
    await p.getByRole('alert').first().waitFor()
    // A code counts once, so it is the next one's turn.
    await p.getByLabel('One-time code').fill(codeOf(secret, Date.now() + 30_000))
    await p.locator('button[type=submit]').click()
    await p.getByRole('navigation', { name: 'Main menu' }).waitFor()
  })

  await chain('a spare code opens too, once', async () => {
    for (const opens of [true, false]) {
      await leave()
      await enter(PASSWORD)
      await p.getByLabel('One-time code').fill(kept[0])
      await p.locator('button[type=submit]').click()
      if (opens) await p.getByRole('navigation', { name: 'Main menu' }).waitFor()
      else { await p.getByRole('alert').first().waitFor(); break }
    }
    await p.getByLabel('One-time code').fill(kept[1])
    await p.locator('button[type=submit]').click()
    await p.getByRole('navigation', { name: 'Main menu' }).waitFor()
  })

  await p.context().close()
}
