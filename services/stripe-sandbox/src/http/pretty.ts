/** Two-space JSON, as Stripe writes it. */
export function pretty(value: object): string {
  return JSON.stringify(value, null, 2)
}
