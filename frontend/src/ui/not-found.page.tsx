import { Link } from 'react-router'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { PageHeading } from './page-heading.tsx'

type Props = { readonly heading?: string; readonly text?: string }

export function NotFoundPage({ heading, text }: Props): ReactNode {
  const { messages } = useLanguage()
  return (
    <article className="card status-card">
      <PageHeading takesFocus>{heading ?? messages.site.notFound}</PageHeading>
      <p className="lead">{text ?? messages.site.notFoundText}</p>
      <div className="actions">
        <Link className="button button-main" to={paths.tours()}>
          {messages.site.allTours}
        </Link>
      </div>
    </article>
  )
}
