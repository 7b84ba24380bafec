/** Text that is HTML already. Everything else that enters a template is escaped. */
export type Html = { readonly html: string }

type Part = string | number | Html | readonly Html[] | null | undefined | false

export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  let text = strings[0] ?? ''
  for (const [index, part] of parts.entries()) text += asHtml(part) + (strings[index + 1] ?? '')
  return { html: text }
}

export function raw(text: string): Html {
  return { html: text }
}

function asHtml(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (typeof part === 'object') return 'html' in part ? part.html : part.map((each) => each.html).join('')
  return String(part)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
