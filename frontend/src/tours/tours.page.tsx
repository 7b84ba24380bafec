import { formatMoney } from '@passerelle/contracts/money'
import { Link } from 'react-router'
import type { TourView } from '@passerelle/contracts/booking'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { Failed } from '../ui/failed.tsx'
import { Loading } from '../ui/loading.tsx'
import { PageHeading } from '../ui/page-heading.tsx'
import { useArrivedByLink } from '../ui/use-arrived-by-link.ts'
import { TourScene } from './tour-scene.tsx'
import { useTours } from '../api/use-tours.ts'

export function ToursPage(): ReactNode {
  const { messages } = useLanguage()
  const tours = useTours()
  const arrivedByLink = useArrivedByLink()
  return (
    <>
      <div className="intro">
        <PageHeading takesFocus={arrivedByLink}>{messages.tours.heading}</PageHeading>
        <p className="lead">{messages.tours.lead}</p>
      </div>
      {tours.isPending && <Loading />}
      {tours.isError && <Failed error={tours.error} retry={() => void tours.refetch()} />}
      {tours.data?.length === 0 && <p>{messages.tours.empty}</p>}
      <ul className="tours">
        {tours.data?.map((tour, position) => (
          <TourCard key={tour.id} tour={tour} position={position} />
        ))}
      </ul>
    </>
  )
}

function TourCard({ tour, position }: { tour: TourView; position: number }): ReactNode {
  const { language, messages } = useLanguage()
  return (
    <li className="card tour-card">
      <TourScene position={position} />
      <div className="tour-card-body">
        <h2>{tour.name}</h2>
        <p>{tour.description}</p>
        <div className="tour-card-foot">
          <p>
            <strong className="price">{formatMoney(tour, language)}</strong>{' '}
            <span className="fine">{messages.tours.perSeat}</span>
          </p>
          <Link className="button button-main" to={paths.tour(tour.id)}>
            {messages.tours.book}
            <span className="visually-hidden"> – {tour.name}</span>
          </Link>
        </div>
      </div>
    </li>
  )
}
