import { formatMoney } from '@passerelle/contracts/money'
import { Link, useParams } from 'react-router'
import type { TourView } from '@passerelle/contracts/booking'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { Failed } from '../ui/failed.tsx'
import { BackIcon } from '../ui/icons.tsx'
import { Loading } from '../ui/loading.tsx'
import { NotFoundPage } from '../ui/not-found.page.tsx'
import { PageHeading } from '../ui/page-heading.tsx'
import { useArrivedByLink } from '../ui/use-arrived-by-link.ts'
import { BookingForm } from './booking-form.tsx'
import { TourScene } from './tour-scene.tsx'
import { useTours } from '../api/use-tours.ts'

export function TourPage(): ReactNode {
  const { tourId } = useParams()
  const { messages } = useLanguage()
  const tours = useTours()
  if (tours.isPending) return <Loading />
  if (tours.isError) return <Failed error={tours.error} retry={() => void tours.refetch()} />
  const position = tours.data.findIndex(({ id }) => id === tourId)
  const tour = tours.data[position]
  return tour ? <Tour tour={tour} position={position} /> : <NotFoundPage heading={messages.tour.unknown} />
}

function Tour({ tour, position }: { tour: TourView; position: number }): ReactNode {
  const { language, messages } = useLanguage()
  const arrivedByLink = useArrivedByLink()
  return (
    <>
      <p className="back">
        <Link to={paths.tours()}>
          <BackIcon />
          {messages.tour.back}
        </Link>
      </p>
      <div className="tour">
        <div className="tour-about">
          <TourScene position={position} />
          <PageHeading takesFocus={arrivedByLink}>{tour.name}</PageHeading>
          <p className="lead">{tour.description}</p>
          <p>
            <strong className="price">{formatMoney(tour, language)}</strong>{' '}
            <span className="fine">
              {messages.tours.perSeat} · {messages.tours.seatsPerDay(tour.seatsPerDay)}
            </span>
          </p>
        </div>
        <BookingForm tour={tour} />
      </div>
    </>
  )
}
