// What a screen reader is told of the table, the board, a form and the palette: as the files in e2e/aria say. UPDATE_GOLDEN=1 writes them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { api, BASE, equal, page, signIn, test } from './kit.mjs'

const PLACE = new URL('./aria/', import.meta.url)

export async function aria(browser, email) {
  const p = await page(browser)
  await signIn(p, email)
  for (const [name, tier] of [['Aria Gold', 'gold'], ['Aria Silver', 'silver']]) await api(p, 'POST', '/parties/parties', { name, is_customer: true, tier, country: 'KZ' })
  const as = async (name, what) => {
    // How many there are, and when, differs from day to day.
    const now = (await what.ariaSnapshot()).replace(/\d+/g, '#') + '\n'
    const file = new URL(`${name}.yml`, PLACE)
    if (process.env.UPDATE_GOLDEN) { mkdirSync(PLACE, { recursive: true }); writeFileSync(file, now) }
    equal(now, readFileSync(file, 'utf8'), name)
  }
  const columns = encodeURIComponent(JSON.stringify(['name', 'tier', 'country']))
  await test('the table, to a screen reader', async () => {
    await p.goto(`${BASE}/o/parties-parties?q=Aria&sort=name&columns=${columns}`)
    await p.getByRole('gridcell', { name: 'Aria Silver' }).waitFor()
    await as('grid', p.getByRole('grid'))
  })
  await test('the board, to a screen reader', async () => {
    await p.goto(`${BASE}/o/parties-parties?q=Aria&as=board&columns=${columns}&options=${encodeURIComponent(JSON.stringify({ lanes: 'tier' }))}`)
    await p.getByRole('button', { name: /Aria Silver/ }).waitFor()
    await p.getByRole('button', { name: /Aria Gold/ }).waitFor()
    await as('board', p.getByRole('group', { name: /^Board/ }))
  })
  await test('a form, to a screen reader', async () => {
    await p.goto(`${BASE}/o/products-categories?new=true`)
    await p.getByRole('dialog').getByRole('button', { name: /^Create/ }).click()
    await p.locator('[aria-invalid=true]').first().waitFor()
    await as('form', p.getByRole('dialog'))
  })
  await test('the palette, to a screen reader', async () => {
    await p.goto(`${BASE}/settings/profile`)
    await p.locator('h1').first().waitFor()
    await p.keyboard.press('Control+k')
    await p.getByRole('dialog').getByRole('combobox').fill('Aria Gold')
    await p.getByRole('option', { name: /Aria Gold/ }).waitFor()
    await as('palette', p.getByRole('dialog'))
  })
  for (const { id, version } of (await api(p, 'GET', '/parties/parties?q=Aria&limit=50')).data) await api(p, 'DELETE', `/parties/parties/${id}`, undefined, { 'If-Match': `"${version}"` })
  await p.context().close()
}
