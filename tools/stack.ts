// The whole of Passerelle as one thing that starts and stops: what `npm start` runs and the browser tests drive.
import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '@passerelle/kit/config'
import { StartError } from '@passerelle/kit/service'
import { isPortFree, startPart } from './parts.ts'
import type { RunningPart } from './parts.ts'
import { ensureDatabase, startPostgres } from './postgres.ts'
import type { Postgres } from './postgres.ts'
import { dropRecord, takeDataDir, writeRecord } from './run-record.ts'
import { planParts, planStart } from './start-plan.ts'
import type { PartName, Plan, Secrets } from './start-plan.ts'

export type Stack = {
  readonly plan: Plan
  readonly urls: Readonly<Record<PartName, string>>
  readonly part: (name: PartName) => RunningPart
  readonly secrets: Secrets
  readonly stop: () => Promise<void>
}

export type StackOptions = {
  readonly root: string
  readonly env: Environment
  readonly print: (part: string, line: string) => void
}

/** Starts everything in order; what was started is stopped again when a later part fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const wished = planStart(options.env, options.root)
  await checkPorts(wished)
  const dataDir = await usableDataDir(wished, options)
  const plan = { ...wished, dataDir }
  const secrets = keptSecrets(dataDir)
  const started: RunningPart[] = []
  let postgres: Postgres | null = null
  let databaseUrl = plan.databaseUrl ?? ''
  const record = (): void =>
    writeRecord(
      dataDir,
      [...started.map((running) => running.pid()), postgres?.pid].filter((pid) => pid !== undefined),
    )
  const stop = async (): Promise<void> => {
    for (const running of started.toReversed()) await running.stop()
    await postgres?.stop()
    dropRecord(dataDir)
  }
  try {
    if (plan.databaseUrl === undefined) {
      options.print('postgres', 'starting')
      postgres = await startPostgres({ directory: join(dataDir, 'postgres') })
      databaseUrl = await ensureDatabase(postgres, 'passerelle')
      record()
    }
    for (const part of planParts(plan, options.env, secrets, databaseUrl)) {
      options.print(part.name, 'starting')
      started.push(await startPart(part, { root: options.root, print: options.print, onPid: record }))
      record()
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    plan,
    secrets,
    urls: mapPorts(plan, (port) => `http://localhost:${port}`),
    part: (name) => {
      const found = started.find((running) => running.part.name === name)
      if (!found) throw new Error(`the ${name} is not part of this stack`)
      return found
    },
    stop,
  }
}

function mapPorts<T>(plan: Plan, map: (port: number) => T): Record<PartName, T> {
  const { sandbox, booking, gateway, frontend } = plan.ports
  return { sandbox: map(sandbox), booking: map(booking), gateway: map(gateway), frontend: map(frontend) }
}

async function checkPorts(plan: Plan): Promise<void> {
  const needed = (Object.keys(plan.ports) as PartName[]).filter(
    (name) => name !== 'sandbox' || plan.stripe.kind === 'sandbox',
  )
  const taken: string[] = []
  for (const name of needed) {
    const port = plan.ports[name]
    if (needed.some((other) => other !== name && plan.ports[other] === port))
      throw new StartError(
        `${plan.portVariables[name]} is ${port}, which another part uses too. Choose a port of its own.`,
      )
    if (!(await isPortFree(plan.host, port)))
      taken.push(
        `port ${port} (${name}) is taken by another process. Stop that process, or choose another port: ${plan.portVariables[name]}=${port + 1000} npm start`,
      )
  }
  if (taken.length > 0) throw new StartError(taken.join('\n  '))
}

async function usableDataDir(plan: Plan, options: StackOptions): Promise<string> {
  try {
    mkdirSync(plan.dataDir, { recursive: true })
    accessSync(plan.dataDir, constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new StartError(
      `the data folder ${plan.dataDir} cannot be written (${code}). Give this user write access, or set DATA_DIR to another folder.`,
    )
  }
  const dataDir = await takeDataDir(plan.dataDir, `copy-${plan.ports.gateway}`)
  if (dataDir !== plan.dataDir)
    options.print(
      'passerelle',
      `${plan.dataDir} is in use by a running copy; this one keeps its data in ${dataDir}`,
    )
  return dataDir
}

/** Secrets of this installation, made once: the sandbox and the services of the next start know each other again. */
function keptSecrets(dataDir: string): Secrets {
  const path = join(dataDir, 'secrets.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Secrets
  const secrets = {
    serviceToken: randomBytes(32).toString('base64url'),
    webhookSecret: `whsec_${randomBytes(24).toString('hex')}`,
  }
  writeFileSync(path, JSON.stringify(secrets), { mode: 0o600 })
  return secrets
}
