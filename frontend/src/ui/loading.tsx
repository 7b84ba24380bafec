import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { useAnnouncement } from './announcer.tsx'

export function Loading(): ReactNode {
  const { messages } = useLanguage()
  useAnnouncement(messages.site.loading)
  return (
    <div className="loading">
      <span className="spinner" aria-hidden="true" />
      <p>{messages.site.loading}</p>
    </div>
  )
}
