export type Theme = 'light' | 'dark' | 'system'

const dark = () => matchMedia('(prefers-color-scheme: dark)')

export const savedTheme = (): Theme => (localStorage.getItem('theme') as Theme) || 'system'

export function applyTheme(theme: Theme): void {
  localStorage.setItem('theme', theme)
  document.documentElement.dataset.theme = theme === 'dark' || (theme === 'system' && dark().matches) ? 'dark' : 'light'
}

export function followSystemTheme(): void {
  dark().addEventListener('change', () => savedTheme() === 'system' && applyTheme('system'))
}
