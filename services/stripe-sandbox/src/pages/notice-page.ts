import { withSessionId } from '../checkout/session.ts'
import type { SessionRecord } from '../store/records.ts'
import { html } from './html.ts'
import { CHECK, CLOCK } from './icons.ts'
import type { Page } from './layout.ts'
import type { Language, Messages } from './messages.ts'
import { messagesOf } from './messages.ts'

/** What is shown instead of the form: expired, already completed, or no such Session. */
export function noticePage(session: SessionRecord | undefined, language: Language): Page {
  const text = messagesOf(language)
  const { title, body, link } = contentOf(session, text)
  const medal =
    session?.status === 'complete'
      ? html`<span class="medal good">${CHECK}</span>`
      : html`<span class="medal warn">${CLOCK}</span>`
  return {
    language,
    title,
    main: html`<div class="card notice">
      ${medal}
      <h1>${title}</h1>
      <p>${body}</p>
      ${link === null ? null : html`<a class="secondary" href="${link}">${text.toShop}</a>`}
    </div>`,
  }
}

function contentOf(
  session: SessionRecord | undefined,
  text: Messages,
): { title: string; body: string; link: string | null } {
  if (!session) return { title: text.unknownTitle, body: text.unknownText, link: null }
  if (session.status === 'expired')
    return { title: text.expiredTitle, body: text.expiredText, link: session.cancelUrl }
  const link = session.successUrl === null ? null : withSessionId(session.successUrl, session.id)
  return { title: text.completeTitle, body: text.completeText, link }
}
