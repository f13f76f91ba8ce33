import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

type Words = { default: Record<string, unknown> }
// One JSON a language, fetched when it is spoken. Adding a language is adding a file, and one for the pages visited seldom.
const files = import.meta.glob<Words>('./*.json')
const more = import.meta.glob<Words>('./more/*.json')
export const languages = Object.keys(files).map((f) => f.slice(2, -5))

const base = (tag: string): string => {
  const short = tag.slice(0, 2).toLowerCase()
  return languages.includes(short) ? short : 'en'
}

const loaded = new Set<string>()
async function add(lng: string, from: typeof files, path: string): Promise<void> {
  if (loaded.has(path)) return
  const file = await from[path]?.()
  if (!file) return
  i18next.addResourceBundle(lng, 'translation', file.default, true, true)
  loaded.add(path)
}

let wide = false
const load = async (lng: string): Promise<void> => void await Promise.all([add(lng, files, `./${lng}.json`), wide && add(lng, more, `./more/${lng}.json`)])

/** A part of the program with the words only it and its like need. */
export async function withWords<T>(part: () => Promise<T>): Promise<T> {
  wide = true
  const [made] = await Promise.all([part(), load(i18next.language)])
  return made
}

export async function startI18n(): Promise<void> {
  let wanted = navigator.language
  try { wanted = localStorage.getItem('locale') || wanted } catch { /* private mode */ }
  const lng = base(wanted)
  await i18next.use(initReactI18next).init({ lng, fallbackLng: 'en', resources: {}, interpolation: { escapeValue: false }, returnNull: false })
  await changeLanguage(wanted)
}

/** `tag` may carry a region ("en-GB"): words come from the language, number and date forms from the whole tag. */
export async function changeLanguage(tag: string): Promise<void> {
  const lng = base(tag)
  await load(lng)
  // A browser without Kazakh says "M11" for a month.
  if (lng === 'kk' && new Intl.DateTimeFormat(lng, { month: 'long' }).format().startsWith('M')) (await import('./kazakh')).learn()
  if (i18next.language !== lng || document.documentElement.lang !== lng) await i18next.changeLanguage(lng)
  document.documentElement.lang = lng
  document.documentElement.dir = i18next.dir(lng)
  try { localStorage.setItem('locale', tag) } catch { /* private mode */ }
}
