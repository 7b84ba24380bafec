import type { Operation } from './operation.ts'

/** The operation that a call names, with what its path has for `:id` and `:part`. */
export type Found = { readonly operation: Operation; readonly id: string; readonly part: string }

type Place = { readonly below: Map<string, Place>; readonly operations: Map<string, Operation> }

/** Finds the operation of a call. A name in a path goes before `:id` and `:part`, and a slash at its end means nothing. */
export class Routes {
  readonly #root = newPlace()

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) {
      let place = this.#root
      for (const name of operation.path.slice(1).split('/')) {
        const below = place.below.get(name) ?? newPlace()
        place.below.set(name, below)
        place = below
      }
      place.operations.set(operation.method, operation)
    }
  }

  find(method: string, path: string): Found | undefined {
    let place = this.#root
    const found = { id: '', part: '' }
    for (const name of path.slice(1).replace(/\/$/, '').split('/')) {
      const named = place.below.get(name)
      const below = named ?? place.below.get(':id') ?? place.below.get(':part')
      if (!below) return undefined
      if (!named) found[place.below.has(':id') ? 'id' : 'part'] = decoded(name)
      place = below
    }
    const operation = place.operations.get(method === 'HEAD' ? 'GET' : method)
    return operation && { operation, ...found }
  }
}

function newPlace(): Place {
  return { below: new Map(), operations: new Map() }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
