import { createContext, useContext, useEffect, useState } from 'react'
import type { ReactNode } from 'react'

const AnnounceContext = createContext<(text: string) => void>(() => undefined)

/** Holds the page's one live region, there from the first render: a region that appears with its text stays unread. */
export function Announcer({ children }: { children: ReactNode }): ReactNode {
  const [text, setText] = useState('')
  return (
    <AnnounceContext value={setText}>
      {children}
      {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- <output> is for the result of a form. */}
      <p className="visually-hidden" role="status" aria-live="polite" aria-atomic="true">
        {text}
      </p>
    </AnnounceContext>
  )
}

/** Lets assistive technology say `text` whenever it changes. */
export function useAnnouncement(text: string): void {
  const announce = useContext(AnnounceContext)
  useEffect(() => {
    announce(text)
  }, [announce, text])
}
