import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

// One JSON a language, fetched when it is spoken. Adding a language is adding a file.
const files = import.meta.glob<{ default: Record<string, unknown> }>('./*.json')
export const languages = Object.keys(files).map((f) => f.slice(2, -5))

const base = (tag: string): string => {
  const short = tag.slice(0, 2).toLowerCase()
  return languages.includes(short) ? short : 'en'
}

async function load(lng: string): Promise<void> {
  if (i18next.hasResourceBundle(lng, 'translation')) return
  const file = await files[`./${lng}.json`]?.()
  if (file) i18next.addResourceBundle(lng, 'translation', file.default)
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
  if (i18next.language !== lng || document.documentElement.lang !== lng) await i18next.changeLanguage(lng)
  document.documentElement.lang = lng
  document.documentElement.dir = i18next.dir(lng)
  try { localStorage.setItem('locale', tag) } catch { /* private mode */ }
}
