/** The command as written makes no sense: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What was asked for could not be done: exit code 1. */
export class CommandError extends Error {
  override name = 'CommandError'
}
