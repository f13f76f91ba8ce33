import { lazy } from 'react'

const Reconcile = lazy(() => import('./reconcile'))
/** The first load knows of this file alone, and not of all that the page is made of. */
export const Bank = () => <Reconcile />
