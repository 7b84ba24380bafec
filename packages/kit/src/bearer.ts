/** The token of an `Authorization: Bearer` header; empty when it holds none. */
export function bearerOf(header: string | undefined): string {
  return header !== undefined && /^Bearer /i.test(header) ? header.slice('Bearer '.length).trim() : ''
}
