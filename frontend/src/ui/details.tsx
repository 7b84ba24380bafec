import type { ReactNode } from 'react'

/** A list of facts by label; those without a value are left out. */
export function Details({ facts }: { facts: Readonly<Record<string, ReactNode>> }): ReactNode {
  const shown = Object.entries(facts).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  )
  return (
    <dl className="details">
      {shown.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
