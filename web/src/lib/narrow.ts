import { useSyncExternalStore } from 'react'

export const phone = matchMedia('(max-width:720px)')
const listen = (f: () => void) => { phone.addEventListener('change', f); return () => phone.removeEventListener('change', f) }

export const useNarrow = (): boolean => useSyncExternalStore(listen, () => phone.matches)
