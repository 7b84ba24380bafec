import { Suspense, StrictMode, lazy } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter, Link, Route, Routes } from 'react-router'
import type { ReactNode } from 'react'
import { BookingPage } from './payment/booking.page.tsx'
import { LanguageProvider } from './language/language-context.tsx'
import { patterns } from './paths.ts'
import { Layout } from './ui/layout.tsx'
import { Loading } from './ui/loading.tsx'
import { NotFoundPage } from './ui/not-found.page.tsx'
import { Queries } from './ui/queries.tsx'
import type { SiteLink } from './ui/layout.tsx'

const ToursPage = lazy(async () => ({ default: (await import('./tours/tours.page.tsx')).ToursPage }))
const BookingsPage = lazy(async () => ({ default: (await import('./tours/bookings.page.tsx')).BookingsPage }))
const TourPage = lazy(async () => ({ default: (await import('./tours/tour.page.tsx')).TourPage }))

const RouterLink: SiteLink = ({ to, className, label, children }) => (
  <Link className={className} to={to} aria-label={label}>
    {children}
  </Link>
)

function Shop(): ReactNode {
  return (
    <Layout link={RouterLink}>
      <Suspense fallback={<Loading />}>
        <Routes>
          <Route path={patterns.tours} element={<ToursPage />} />
          <Route path={patterns.tour} element={<TourPage />} />
          <Route path={patterns.bookings} element={<BookingsPage />} />
          <Route path={patterns.booking} element={<BookingPage />} />
          <Route path={patterns.bookingPayment} element={<BookingPage />} />
          <Route path="*" element={<NotFoundPage />} />
        </Routes>
      </Suspense>
    </Layout>
  )
}

const root = document.querySelector('#root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider>
        <Queries>
          <BrowserRouter>
            <Shop />
          </BrowserRouter>
        </Queries>
      </LanguageProvider>
    </StrictMode>,
  )
