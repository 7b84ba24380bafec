// The whole of Passerelle as one thing that starts and stops: what `npm start` runs and the browser tests drive.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '@passerelle/kit/config'
import { StartError } from '@passerelle/kit/service'
import { takeDataFolder, writeWhole } from './data-folder.ts'
import type { DataFolder } from './data-folder.ts'
import { keepPostgres } from './kept-postgres.ts'
import type { KeptPostgres } from './kept-postgres.ts'
import { startPart } from './parts.ts'
import type { RunningPart } from './parts.ts'
import { checkPorts } from './ports.ts'
import { ensureDatabase } from './postgres.ts'
import { PART_NAMES, PORT_VARIABLES, planParts, planStart } from './start-plan.ts'
import type { PartName, Plan, Secrets } from './start-plan.ts'

export type Stack = {
  readonly plan: Plan
  readonly secrets: Secrets
  /** Where the services' data is; each keeps to its own schema. */
  readonly databaseUrl: string
  readonly part: (name: PartName) => RunningPart
  /** Stops the parts in the opposite order, PostgreSQL last. */
  readonly stop: () => Promise<void>
}

export type StackOptions = {
  readonly root: string
  readonly env: Environment
  readonly print: (part: string, line: string) => void
  /** Aborting it ends a start under way. */
  readonly signal: AbortSignal
}

/** Starts everything in order; what was started is stopped again when a later part fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const wished = planStart(options.env, options.root)
  const folder = await freeDataFolder(wished, options)
  const plan = { ...wished, dataDir: folder.path }
  const running: Running = { parts: [], postgres: null }
  const stop = async (): Promise<void> => {
    folder.announceStop()
    for (const part of running.parts.toReversed()) await part.stop()
    await running.postgres?.stop()
    folder.release()
  }
  try {
    const secrets = keptSecrets(folder.path)
    const databaseUrl = plan.databaseUrl ?? (await startDatabase({ folder, running, print: options.print }))
    for (const part of planParts({ plan, source: options.env, secrets, databaseUrl })) {
      options.print(part.name, 'starting …')
      running.parts.push(await startPart(part, { ...options, onProcess: folder.addProcess }))
    }
    return { plan, secrets, databaseUrl, part: (name) => findPart(running, name), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type Running = { readonly parts: RunningPart[]; postgres: KeptPostgres | null }

function findPart(running: Running, name: PartName): RunningPart {
  const found = running.parts.find(({ part }) => part.name === name)
  if (found === undefined) throw new Error(`this stack runs no ${name}`)
  return found
}

/** The data folder, or a copy's own when a living run holds it; the ports are free when this returns. */
async function freeDataFolder(plan: Plan, { env, print }: StackOptions): Promise<DataFolder> {
  const take = (path: string): Promise<DataFolder | null> =>
    takeDataFolder(path, {
      launchers: launchersOf(env),
      onWait: () => print('passerelle', 'waiting until the run before has stopped …'),
    })
  let folder = await take(plan.dataDir)
  try {
    await checkPorts(plan.host, neededPorts(plan))
    if (folder !== null) return folder
    const copy = join(plan.dataDir, `copy-${plan.ports.gateway}`)
    print(
      'passerelle',
      `${plan.dataDir} belongs to a copy that is running; this one keeps its data in ${copy}`,
    )
    folder = await take(copy)
  } catch (error) {
    folder?.release()
    throw error
  }
  if (folder !== null) return folder
  throw new StartError(`${plan.dataDir} and its copy are both in use. Set DATA_DIR to another folder.`)
}

function launchersOf(env: Environment): readonly number[] {
  return [env['PASSERELLE_PARENT_PID'], env['PASSERELLE_NPM_PID']]
    .filter((pid) => pid !== undefined)
    .map(Number)
}

function neededPorts(plan: Plan): readonly { part: string; port: number; variable: string }[] {
  return PART_NAMES.filter((part) => part !== 'sandbox' || plan.stripe.kind === 'sandbox').map((part) => ({
    part,
    port: plan.ports[part],
    variable: PORT_VARIABLES[part],
  }))
}

type DatabaseOptions = {
  readonly folder: DataFolder
  readonly running: Running
  readonly print: StackOptions['print']
}

async function startDatabase({ folder, running, print }: DatabaseOptions): Promise<string> {
  const directory = join(folder.path, 'postgres')
  print('postgres', existsSync(directory) ? 'starting …' : 'making a database, once …')
  running.postgres = await keepPostgres({
    directory,
    print: (line) => print('postgres', line),
    onProcess: folder.addProcess,
  })
  return await ensureDatabase(running.postgres.first, 'passerelle')
}

/** Secrets of this installation, made once: the sandbox and the services of the next start know each other again. */
function keptSecrets(dataDir: string): Secrets {
  const path = join(dataDir, 'secrets.json')
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Secrets
  const secrets = {
    serviceToken: randomBytes(32).toString('base64url'),
    webhookSecret: `whsec_${randomBytes(24).toString('hex')}`,
  }
  writeWhole(path, JSON.stringify(secrets))
  return secrets
}
