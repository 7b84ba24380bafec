import { useEffect, useLayoutEffect, useRef } from 'react'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'

type Props = {
  readonly children: string
  /** Takes the focus once, as soon as it is true. */
  readonly takesFocus?: boolean
}

/** What the browser's tab says of a page with this heading. */
export function titleOf(heading: string, site: string): string {
  return `${heading} · ${site}`
}

/** The page's one h1, and the same words as the document's title. */
export function PageHeading({ children, takesFocus = false }: Props): ReactNode {
  const { messages } = useLanguage()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (takesFocus) heading.current?.focus()
  }, [takesFocus])
  const title = titleOf(children, messages.site.name)
  // Before the paint, with the heading it goes with.
  useLayoutEffect(() => {
    document.title = title
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}
