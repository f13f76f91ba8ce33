export const LANGUAGE_NAMES: Record<string, string> = { en: 'English', ru: 'Русский', kk: 'Қазақша', de: 'Deutsch' }
