import { Link, useRouter } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { messageOf } from '@/api/http'

export function NotFound() {
  const { t } = useTranslation()
  return (
    <main className="h-full grid place-items-center p-6">
      <div className="text-center">
        <h1 className="text-xl font-semibold m-0">{t('error.missing')}</h1>
        <p className="text-muted mt-2 mb-5">{t('error.missingText')}</p>
        <Link to="/" className="btn">{t('home')}</Link>
      </div>
    </main>
  )
}

export function RouteError({ error }: { error: unknown }) {
  const { t } = useTranslation()
  const router = useRouter()
  return (
    <main className="h-full grid place-items-center p-6">
      <div className="text-center" role="alert">
        <h1 className="text-xl font-semibold m-0">{t('error.broken')}</h1>
        <p className="text-muted max-w-[60ch] mt-2 mb-5">{messageOf(error)}</p>
        <button type="button" className="btn" onClick={() => void router.invalidate()}>{t('retry')}</button>
      </div>
    </main>
  )
}
