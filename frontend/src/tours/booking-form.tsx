import { useMutation } from '@tanstack/react-query'
import { formatMoney } from '@passerelle/contracts/money'
import { useId, useState } from 'react'
import { useNavigate } from 'react-router'
import type { CreateBookingBody, TourView } from '@passerelle/contracts/booking'
import type { ReactNode } from 'react'
import { createBooking } from '../api/booking.client.ts'
import { idempotencyKeys } from '../api/idempotency-keys.ts'
import { addDays, todayIn } from '../language/dates.ts'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { ProblemNote } from '../ui/problem-note.tsx'

// The booking service takes no more at once.
const SEATS_MAX = 20
const DAYS_AHEAD_MAX = 365

export function BookingForm({ tour }: { tour: TourView }): ReactNode {
  const { language, messages } = useLanguage()
  const navigate = useNavigate()
  const [today] = useState(() => todayIn(tour.timeZone, Date.now()))
  const [date, setDate] = useState(() => addDays(today, 1))
  const [seats, setSeats] = useState(1)
  const [email, setEmail] = useState('')
  const [keyFor] = useState(idempotencyKeys)
  const id = useId()
  const booking = useMutation({
    // The same wish twice, after an answer that was lost, is one booking; another wish is another.
    mutationFn: (body: CreateBookingBody) => createBooking(body, keyFor(JSON.stringify(body))),
    onSuccess: async ({ id: bookingId }) => await navigate(paths.booking(bookingId)),
  })
  const total = formatMoney({ ...tour, amountMinor: tour.amountMinor * seats }, language)

  return (
    <form
      className="card booking-form"
      onSubmit={(event) => {
        event.preventDefault()
        const customerEmail = email.trim()
        booking.mutate({ tourId: tour.id, date, seats, ...(customerEmail ? { customerEmail } : {}) })
      }}
    >
      <h2>{messages.tour.choose}</h2>
      <DateField id={`${id}-date`} value={date} onChange={setDate} today={today} timeZone={tour.timeZone} />
      <SeatsField
        id={`${id}-seats`}
        value={seats}
        onChange={setSeats}
        max={Math.min(SEATS_MAX, tour.seatsPerDay)}
      />
      <EmailField id={`${id}-email`} value={email} onChange={setEmail} />
      <p className="total">
        <span>{messages.tour.total}</span> <strong className="price">{total}</strong>
      </p>
      {booking.error && <ProblemNote error={booking.error} />}
      <button className="button button-main button-wide" type="submit" disabled={booking.isPending}>
        {booking.isPending ? messages.tour.busy : messages.tour.book}
      </button>
      <p className="fine">{messages.tour.signIn}</p>
    </form>
  )
}

type Field<T> = { readonly id: string; readonly value: T; readonly onChange: (value: T) => void }

function DateField(props: Field<string> & { readonly today: string; readonly timeZone: string }): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="field">
      <label htmlFor={props.id}>{messages.tour.date}</label>
      <input
        id={props.id}
        type="date"
        required
        min={props.today}
        max={addDays(props.today, DAYS_AHEAD_MAX)}
        value={props.value}
        aria-describedby={`${props.id}-hint`}
        onChange={(event) => props.onChange(event.target.value)}
      />
      <p className="fine" id={`${props.id}-hint`}>
        {messages.tour.dateHint(props.timeZone)}
      </p>
    </div>
  )
}

function SeatsField({ id, value, onChange, max }: Field<number> & { readonly max: number }): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="field">
      <label htmlFor={id}>{messages.tour.seats}</label>
      <select id={id} value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {Array.from({ length: max }, (_, index) => (
          <option key={index + 1}>{index + 1}</option>
        ))}
      </select>
    </div>
  )
}

function EmailField({ id, value, onChange }: Field<string>): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="field">
      <label htmlFor={id}>{messages.tour.email}</label>
      <input
        id={id}
        type="email"
        autoComplete="email"
        maxLength={254}
        value={value}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
      />
      <p className="fine" id={`${id}-hint`}>
        {messages.tour.emailHint}
      </p>
    </div>
  )
}
