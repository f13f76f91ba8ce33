// node e2e/run.mjs [journey]…: all of them, or those that are named, against BASE_URL; letters are read from FONDACO_OUTBOX.
import { admin } from './admin.mjs'
import { approvals } from './approvals.mjs'
import { aria } from './aria.mjs'
import { bank } from './bank.mjs'
import { board } from './board.mjs'
import { budgets } from './budgets.mjs'
import { computed } from './computed.mjs'
import { conditions } from './conditions.mjs'
import { data } from './data.mjs'
import { docs } from './docs.mjs'
import { fields, types } from './fields.mjs'
import { fresh, newcomer, open, page, results, scene } from './kit.mjs'
import { keyboard } from './keyboard.mjs'
import { looks } from './looks.mjs'
import { messages } from './messages.mjs'
import { own } from './own.mjs'
import { people } from './people.mjs'
import { prs } from './prs.mjs'
import { receivables } from './receivables.mjs'
import { reports } from './reports.mjs'
import { shares } from './shares.mjs'
import { restart } from './restart.mjs'
import { roles } from './roles.mjs'
import { sheet } from './sheet.mjs'
import { signin } from './signin.mjs'
import { speed } from './speed.mjs'
import { table } from './table.mjs'
import { together } from './together.mjs'
import { time } from './time.mjs'
import { trade } from './trade.mjs'
import { triggers } from './triggers.mjs'
import { views } from './views.mjs'
import { work } from './work.mjs'
import { words } from './words.mjs'
import { xss } from './xss.mjs'

const wanted = process.argv.slice(2).filter((a) => !a.startsWith('-'))
const want = (name) => !process.argv.includes(`-${name}`) && (wanted.length === 0 || wanted.includes(name))
const browser = await open()
let email
try {
  if (want('trade')) email = await trade(browser)
  if (!email || results.passed === 0) {
    email = fresh('visitor')
    const p = await page(browser)
    await newcomer(p, email, 'Steppe Trading')
    await scene(p)
    await p.context().close()
  }
  if (want('keyboard')) await keyboard(browser, email)
  if (want('table')) await table(browser, email)
  if (want('sheet')) await sheet(browser, email)
  if (want('data')) await data(browser, email)
  if (want('people')) await people(browser, email)
  if (want('together')) await together(browser, email)
  if (want('messages')) await messages(browser, email)
  if (want('admin')) await admin(browser, email)
  if (want('looks')) await looks(browser, email)
  if (want('words')) await words(browser, email)
  if (want('xss')) await xss(browser, email)
  if (want('board')) await board(browser, email)
  if (want('time')) await time(browser, email)
  if (want('work')) await work(browser, email)
  if (want('fields')) await fields(browser, email)
  if (want('types')) await types(browser, email)
  if (want('computed')) await computed(browser)
  if (want('conditions')) await conditions(browser, email)
  if (want('approvals')) await approvals(browser)
  if (want('signin')) await signin(browser)
  if (want('restart')) await restart(browser)
  if (want('own')) await own(browser)
  if (want('triggers')) await triggers(browser)
  if (want('docs')) await docs(browser, email)
  if (want('aria')) await aria(browser, email)
  if (want('roles')) await roles(browser, email)
  if (want('views')) await views(browser, email)
  if (want('receivables')) await receivables(browser, email)
  if (want('bank')) await bank(browser)
  if (want('budgets')) await budgets(browser)
  if (want('shares')) await shares(browser, email)
  if (want('prs')) await prs(browser)
  if (want('reports')) await reports(browser)
  // Last: it leaves a hundred thousand customers.
  if (want('speed')) await speed(browser, email)
} catch (e) {
  results.failed++
  console.log(`FAILED ${e?.stack ?? e}`)
} finally {
  await browser.close()
}
console.log(`${results.passed} passed, ${results.failed} failed`)
process.exitCode = results.failed ? 1 : 0
