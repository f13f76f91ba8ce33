// A day's trade: from nothing to a paid invoice, by hand, in the browser.
import { api, BASE, equal, fresh, newcomer, chains, letter, page, pick, shot, test, truth } from './kit.mjs'

const money = (s) => s.replace(/[^\d.,-]/g, '').replaceAll(',', '')

export async function trade(browser) {
  const chain = chains()
  const p = await page(browser)
  const email = fresh('owner')
  const dialog = () => p.getByRole('dialog')
  const panel = p.locator('aside[aria-label^="Record"]')
  const act = async (name) => { await p.getByRole('group', { name: 'Actions' }).first().getByRole('button', { name, exact: true }).click() }
  const status = async (text) => { await p.locator(':is(h1,h2) + span .chip', { hasText: text }).first().waitFor() }

  await chain('register, verify by the letter, create a company', async () => {
    await newcomer(p, email, 'Steppe Trading')
    await shot(p, 'trade-1-home')
  })

  await chain('three products', async () => {
    await p.goto(`${BASE}/o/products-products`)
    for (const [name, price] of [['Pallet rack', '10000'], ['Truss section', '1120'], ['Rigging hour', '200']]) {
      await p.getByRole('button', { name: /^New/ }).first().click()
      await dialog().getByLabel('Name', { exact: false }).first().fill(name)
      await dialog().getByLabel('Price', { exact: true }).fill(price)
      await dialog().getByRole('button', { name: 'Create' }).click()
      await panel.getByRole('heading', { name }).waitFor()
    }
    await shot(p, 'trade-2-products')
  })

  await chain('a customer', async () => {
    await p.goto(`${BASE}/o/parties-parties?new=true`)
    await dialog().getByLabel('Name', { exact: false }).first().fill('Orbit Energy LLP')
    await dialog().getByLabel('Customer', { exact: false }).first().check()
    await dialog().getByRole('button', { name: 'Create' }).click()
    await panel.getByRole('heading', { name: 'Orbit Energy LLP' }).waitFor()
  })

  let order = ''
  await chain('an order of three lines: plain, tax included, with a discount', async () => {
    await p.goto(`${BASE}/o/sales-orders?new=true`)
    await pick(p, /^Customer/, 'Orbit Energy LLP', dialog())
    const lines = [['Pallet rack', '2', {}], ['Truss section', '3', { included: true }], ['Rigging hour', '10', { discount: '10' }]]
    for (const [i, [product, quantity, more]] of lines.entries()) {
      await dialog().getByRole('button', { name: 'Add line' }).click()
      await pick(p, `Product, line ${i + 1}`, product, dialog())
      await dialog().getByLabel(`Quantity, line ${i + 1}`).fill(quantity)
      if (more.discount) await dialog().getByLabel(new RegExp(`^Discount.*, line ${i + 1}$`)).first().fill(more.discount)
      // Every line carries 12 % here, so that what is written in must come out.
      await dialog().getByLabel(new RegExp(`^Tax rate, line ${i + 1}$`)).fill('12')
      if (more.included) {
        // A price from the product's own list would be turned into one with tax; this one is written on the offer.
        await dialog().getByLabel(`Price, line ${i + 1}`).fill('1120')
        await dialog().getByRole('button', { name: `More about line ${i + 1}` }).click()
        await dialog().getByLabel(/price includes tax/i).last().check()
      }
    }
    await shot(p, 'trade-3-order-form')
    await dialog().getByRole('button', { name: 'Create' }).click()
    await panel.getByRole('heading').first().waitFor()
    await p.waitForURL(/rec=/)
    order = new URL(p.url()).searchParams.get('rec').replaceAll('"', '')
    const r = await api(p, 'GET', `/sales/orders/${order}?expand=lines`)
    // 20 000 + 12 %; 3 360 with the tax inside; 1 800 + 12 %.
    equal(r.lines.length, 3, 'lines')
    equal(Number(r.gross).toFixed(2), '27776.00', 'gross')
    equal(Number(r.tax).toFixed(2), '2976.00', 'tax')
    truth(money(await panel.locator('dl').first().innerText()).includes('27776.00'), 'the total stands in the panel')
    await shot(p, 'trade-4-order')
  })

  await chain('lines are edited on the page, and the total follows', async () => {
    await p.goto(`${BASE}/o/sales-orders/r/${order}`)
    await p.getByLabel('Quantity, line 1').fill('3')
    await p.getByRole('region', { name: 'Unsaved changes' }).getByRole('button', { name: 'Save' }).click()
    await p.getByRole('region', { name: 'Unsaved changes' }).waitFor({ state: 'detached' })
    equal(Number((await api(p, 'GET', `/sales/orders/${order}`)).gross).toFixed(2), '38976.00', 'gross')
    await p.getByLabel('Quantity, line 1').fill('0')
    await p.getByRole('region', { name: 'Unsaved changes' }).getByRole('button', { name: 'Save' }).click()
    await p.locator('td .field-error').first().waitFor()
    await shot(p, 'trade-5-refused')
    await p.getByRole('region', { name: 'Unsaved changes' }).getByRole('button', { name: 'Discard' }).click()
  })

  await chain('confirm', async () => {
    await act('Confirm')
    await status('Confirmed')
  })

  let invoice = ''
  await chain('invoice', async () => {
    await act('Invoice')
    await dialog().getByRole('button', { name: 'Invoice', exact: true }).click()
    await dialog().waitFor({ state: 'detached' })
    await p.getByRole('button', { name: 'Open', exact: true }).click()
    await p.waitForURL(/finance-invoices\/r\//)
    invoice = p.url().split('/r/')[1].split('?')[0]
    await status('Draft')
  })

  await chain('post: the number comes, the document freezes', async () => {
    await act('Post')
    await status('Sent')
    const r = await api(p, 'GET', `/finance/invoices/${invoice}`)
    truth(r.number, 'a posted invoice has a number')
    equal(Number(r.gross).toFixed(2), '38976.00', 'gross')
    await p.getByRole('heading', { name: r.number }).waitFor()
    await shot(p, 'trade-6-posted')
  })

  await chain('on paper: the PDF, and a letter that carries it', async () => {
    const address = await p.getByRole('link', { name: 'PDF' }).getAttribute('href')
    const paper = await p.evaluate(async (u) => { const r = await fetch(u); return [r.status, r.headers.get('content-type'), (await r.text()).slice(0, 5)] }, address)
    equal(paper.join(' '), '200 application/pdf %PDF-')
    const to = fresh('customer')
    await p.getByRole('button', { name: 'More actions' }).click()
    await p.getByRole('menuitem', { name: 'Send by e-mail' }).click()
    const at = Date.now()
    await dialog().getByLabel('To').fill(to)
    await dialog().getByLabel('Message').fill('The invoice, as agreed.')
    await dialog().getByRole('button', { name: 'Send', exact: true }).click()
    await dialog().waitFor({ state: 'detached' })
    truth((await letter(to, at)).includes('application/pdf'), 'the paper is attached')
  })

  const pay = async (amount) => {
    await act('Enter payment')
    if (amount) await dialog().getByLabel('Amount').fill(amount)
    await dialog().getByRole('button', { name: 'Enter payment' }).click()
    await dialog().waitFor({ state: 'detached' })
  }
  await chain('part of the payment', async () => {
    await pay('10000')
    await status('Partly paid')
    equal(Number((await api(p, 'GET', `/finance/invoices/${invoice}`)).balance).toFixed(2), '28976.00', 'balance')
  })
  await chain('the rest: paid', async () => {
    await pay()
    await status('Paid')
    equal(Number((await api(p, 'GET', `/finance/invoices/${invoice}`)).balance).toFixed(2), '0.00', 'balance')
    await shot(p, 'trade-7-paid')
  })
  await chain('the order knows', async () => {
    await p.goto(`${BASE}/o/sales-orders/r/${order}?tab=related`)
    await p.locator('[role=tabpanel]').getByText('Paid', { exact: true }).first().waitFor()
    await shot(p, 'trade-8-related')
    await p.getByRole('tab', { name: 'Activity' }).click()
    await p.getByText('created this').first().waitFor()
    await p.goto(`${BASE}/o/finance-invoices/r/${invoice}?tab=activity`)
    await p.getByText('created this').first().waitFor()
    const story = await p.getByRole('tabpanel').innerText()
    for (const word of ['Draft', 'Sent', 'Partly paid', 'Paid']) truth(story.includes(word), `the story tells of ${word}:\n${story}`)
    await shot(p, 'trade-9-story')
    equal((await api(p, 'GET', `/sales/orders/${order}`)).payment_status, 'paid')
  })
  await test('no error on any page of the day', async () => equal(p.problems.join('\n'), ''))
  await p.context().close()
  return email
}
