import type { ReactNode } from 'react'
import { useLanguage } from '../language/language-context.tsx'
import { ProblemNote } from './problem-note.tsx'

/** What could not be loaded, and the way to try again. */
export function Failed({ error, retry }: { error: unknown; retry: () => void }): ReactNode {
  const { messages } = useLanguage()
  return (
    <div className="card failed">
      <ProblemNote error={error} />
      <div className="actions">
        <button className="button button-main" type="button" onClick={retry}>
          {messages.site.reload}
        </button>
      </div>
    </div>
  )
}
