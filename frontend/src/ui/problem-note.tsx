import type { ReactNode } from 'react'
import { ApiError } from '@passerelle/client/request'
import { useLanguage } from '../language/language-context.tsx'
import type { Messages } from '../language/messages.en.ts'

/** The sentence for what went wrong: by its code, never the text an exception carries. */
export function problemSentence(error: unknown, messages: Messages): string {
  const sentences: Readonly<Record<string, string>> = messages.problem
  const code = error instanceof ApiError ? error.code : 'other'
  return sentences[code] ?? messages.problem.other
}

/** Says at once, also to assistive technology, what went wrong and how the services' logs name it. */
export function ProblemNote({ error }: { error: unknown }): ReactNode {
  const { messages } = useLanguage()
  const requestId = error instanceof ApiError ? error.requestId : null
  return (
    <div className="problem" role="alert">
      <p>{problemSentence(error, messages)}</p>
      {requestId && <p className="fine">{messages.site.requestId(requestId)}</p>}
    </div>
  )
}
