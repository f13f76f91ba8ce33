// Documents written together: two who type at once, a connection that goes and comes, comments on words, tables, files; who may only read.
import { api, axe, BASE, chains, equal, fresh, letter, page, PASSWORD, shot, signIn, truth } from './kit.mjs'

export async function docs(browser, owner) {
  const chain = chains()
  const p = await page(browser)
  await signIn(p, owner)
  const q = await page(browser)
  const r = await page(browser)
  let party
  const field = 'cf.brief'
  const text = (who) => who.getByRole('textbox', { name: 'Brief' })
  const words = async () => (await api(p, 'GET', `/parties/parties/${party.id}`))[field]
  const join = async (who, role, name) => {
    const email = fresh(role)
    const began = Date.now()
    await api(p, 'POST', '/members/invite', { email, roles: [role] })
    const link = (await letter(email, began)).match(/https?:\/\/\S+/)[0]
    await who.goto(BASE + new URL(link).pathname + new URL(link).search)
    await who.getByLabel('First name').fill(name)
    await who.getByLabel('Last name').fill('Ospanov')
    await who.getByLabel('Password').fill(PASSWORD)
    await who.getByRole('button', { name: 'Join' }).click()
    await who.getByRole('navigation', { name: 'Main menu' }).waitFor()
  }
  const open = async (who) => { await who.goto(`${BASE}/o/parties-parties?as=doc&q=Paper`); await who.getByRole('option', { name: 'Paper House' }).click(); await text(who).waitFor() }
  /** All of it has gone to the server. */
  const saved = (who) => who.getByRole('status').filter({ hasText: /^Saved$/ }).waitFor()

  await chain('a formatted field is a document, with what it says', async () => {
    const { data: has } = await api(p, 'GET', '/fields?entity=parties.parties')
    if (!has.some((f) => f.name === 'brief')) await api(p, 'POST', '/fields', { entity: 'parties.parties', name: 'brief', label: 'Brief', type: 'richtext' })
    party = await api(p, 'POST', '/parties/parties', { name: 'Paper House', is_customer: true, [field]: '# Plan\n**First** we look.\n- one\n- two' })
    await join(q, 'manager', 'Marat')
    await join(r, 'employee', 'Dana')
    await open(p)
    await text(p).getByRole('heading', { name: 'Plan' }).waitFor()
    equal(await text(p).locator('strong').innerText(), 'First')
    equal(await text(p).getByRole('listitem').count(), 2)
  })

  await chain('two type at once, and each sees all of it and the other', async () => {
    await open(q)
    await open(r)
    equal(await text(r).getAttribute('contenteditable'), 'false', 'who may only read cannot write')
    await text(p).getByText('we look.').click()
    await p.keyboard.press('End')
    await text(q).getByText('two').click()
    await q.keyboard.press('End')
    await Promise.all([p.keyboard.type(' Then we begin.', { delay: 15 }), q.keyboard.type(' and three', { delay: 15 })])
    for (const who of [p, q, r]) {
      await text(who).getByText('First we look. Then we begin.').waitFor()
      await text(who).getByText('two and three').waitFor()
    }
    await p.locator('.doc-caret[data-name^="Marat"]').waitFor()
    await q.locator('.doc-caret[data-name^="Aigerim"]').waitFor()
    await shot(p, 'docs-1-together')
    await axe(p, 'a document')
    await Promise.all([saved(p), saved(q)])
  })

  await chain('without a connection one goes on, and nothing of anybody is lost', async () => {
    await q.context().setOffline(true)
    await text(q).getByText('two and three').click()
    await q.keyboard.press('End')
    await q.keyboard.type(' (offline)')
    await text(p).getByText('First we look. Then we begin.').click()
    await p.keyboard.press('Home')
    await p.keyboard.type('Well. ')
    await q.getByRole('status').filter({ hasText: /^Not sent yet/ }).waitFor()
    await saved(p)
    await q.context().setOffline(false)
    for (const who of [p, q]) {
      await text(who).getByText('two and three (offline)').waitFor({ timeout: 40_000 })
      await text(who).getByText('Well. First we look. Then we begin.').waitFor()
    }
    await saved(q)
  })

  await chain('what was not sent is there after a reload', async () => {
    await q.route('**/api/v1/docs/**', (x) => x.abort())
    await text(q).getByText('one', { exact: true }).click()
    await q.keyboard.press('End')
    await q.keyboard.type(' kept')
    await q.getByRole('status').filter({ hasText: /^Not sent yet/ }).waitFor()
    await q.unroute('**/api/v1/docs/**')
    await q.reload()
    await q.getByRole('option', { name: 'Paper House' }).click()
    await text(q).getByText('one kept').waitFor()
    await text(p).getByText('one kept').waitFor()
    await saved(q)
  })

  await chain('the marks of the bar, and their keys', async () => {
    await text(p).getByText('one kept').click()
    await p.keyboard.press('Home')
    await p.keyboard.press('Shift+End')
    // The editor has seen what is selected.
    await p.locator('button[aria-label=Link]:enabled').waitFor()
    await p.keyboard.press('Control+b')
    await text(q).locator('li strong').getByText('one kept').waitFor()
    await p.getByRole('button', { name: 'Link' }).click()
    await p.getByRole('dialog').getByLabel('Address').fill('javascript:alert(1)')
    await p.getByRole('button', { name: 'Apply' }).click()
    await p.getByText('Use an address that begins with').waitFor()
    await p.getByRole('dialog').getByLabel('Address').fill('https://example.com/a')
    await p.getByRole('button', { name: 'Apply' }).click()
    await text(q).getByRole('link', { name: 'one kept' }).waitFor()
    await p.keyboard.press('ArrowRight')
    await p.keyboard.press('Control+z')
    await text(q).getByRole('link', { name: 'one kept' }).waitFor({ state: 'detached' })
  })

  await chain('a comment stands at the words it is about', async () => {
    await text(p).getByRole('heading', { name: 'Plan' }).click()
    await p.keyboard.press('Home')
    await p.keyboard.press('Shift+End')
    await p.locator('button[aria-label=Comment]:enabled').waitFor()
    await p.getByRole('button', { name: 'Comment', exact: true }).click()
    await p.getByRole('dialog').getByLabel('Comment').fill('Is it approved?')
    await p.getByRole('dialog').getByRole('button', { name: 'Comment' }).click()
    const said = q.getByRole('complementary', { name: 'What was said here' })
    await said.getByText('Is it approved?').waitFor()
    await text(q).locator('.doc-about').getByText('Plan').waitFor()
    await said.getByRole('button', { name: /^Answer/ }).first().click()
    await q.keyboard.type('Yes.')
    await q.keyboard.press('Control+Enter')
    await p.getByRole('complementary', { name: 'What was said here' }).getByText('Yes.').waitFor()
  })

  await chain('a table of records stands in the text', async () => {
    await text(p).click()
    await p.keyboard.press('Control+End')
    await p.getByRole('button', { name: 'Table of records' }).click()
    await p.getByRole('dialog').getByLabel('Records').selectOption({ label: 'Orders' })
    await p.getByRole('button', { name: 'Insert' }).click()
    await text(q).locator('.doc-table').getByRole('columnheader').first().waitFor()
    await text(q).locator('.doc-table').getByRole('link', { name: 'Open' }).waitFor()
    await saved(p)
    await shot(p, 'docs-2-table')
    await axe(p, 'a document with a table and comments')
  })

  await chain('the record says what the document says, and what changes there comes here', async () => {
    const began = Date.now()
    let now = ''
    while (Date.now() - began < 25_000 && !now.includes('![Orders](/o/sales-orders)')) { now = await words(); await p.waitForTimeout(300) }
    truth(/^# \[Plan\]\(#comment-[0-9a-f-]{36}\)\n\n\*\*Well\. First\*\* we look\. Then we begin\.\n\n- \*\*one kept\*\*\n- two and three \(offline\)\n\n!\[Orders\]/.test(now), now)
    const { data: lines } = await api(p, 'GET', `/parties/parties/${party.id}/_history`)
    truth(lines.length < 12, `${lines.length} lines of history for some hundred keys`)
    const { version } = await api(p, 'GET', `/parties/parties/${party.id}`)
    await api(p, 'PATCH', `/parties/parties/${party.id}`, { [field]: now.replace('we look', 'we listen') }, { 'If-Match': `"${version}"` })
    await p.reload()
    await p.getByRole('option', { name: 'Paper House' }).click()
    await text(p).getByText('we listen').waitFor()
    await text(q).getByText('we listen').waitFor()
    equal(await text(p).getByText('we look').count(), 0)
  })

  await chain('it is taken away as a file, and scripts in it are text', async () => {
    const got = await p.evaluate(async ([id, f]) => Promise.all(['md', 'html'].map(async (x) => { const a = await fetch(`/api/v1/docs/parties.parties/${id}/${f}?format=${x}`); return [a.headers.get('content-disposition'), await a.text()] })), [party.id, field])
    truth(got[0][0].includes('attachment') && got[0][0].includes('Paper House.md'), got[0][0])
    truth(got[0][1].startsWith('# Plan\n'), got[0][1])
    truth(got[1][1].includes('<h2>Plan</h2>') && !got[1][1].includes('comment-'), got[1][1])
  })

  await chain('on a phone and by night', async () => {
    const phone = await page(browser, { width: 390, height: 844, touch: true, theme: 'dark' })
    await signIn(phone, owner)
    await open(phone)
    await shot(phone, 'docs-3-phone')
    await axe(phone, 'a document on a phone')
    await phone.context().close()
    await p.evaluate(() => { document.documentElement.dataset.theme = 'dark' })
    await shot(p, 'docs-4-dark')
    await axe(p, 'a document by night')
  })
  await chain('no error in the documents', async () => equal([...p.problems, ...r.problems].join('\n'), ''))
  for (const x of [p, q, r]) await x.context().close()
}
