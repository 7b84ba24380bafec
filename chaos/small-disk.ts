// A small disk of its own for the tables of a campaign, so that it can be full without anybody else's being.
import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type SmallDisk = {
  readonly path: string
  /** Takes away all the room that is left; true when it could. */
  readonly fill: () => boolean
  readonly makeRoom: () => void
  readonly unmount: () => void
}

// A campaign of 5,000 payments stays far below.
const BYTES = 4 * 1024 ** 3
const FILL_TRIES_MAX = 20
const PAGE_BYTES = 4096

/** Whether this user may make one; a container may forbid it all the same. */
export function mayMount(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0
}

/** Mounts one in `folder`, owned by whoever owns `like`; null where this user may not mount, or not here. */
export function mountSmallDisk(folder: string, like: string): SmallDisk | null {
  if (!mayMount()) return null
  const path = join(folder, 'small-disk')
  mkdirSync(path)
  if (!mount('-t', 'tmpfs', '-o', `size=${BYTES}`, 'passerelle', path)) return null
  const { uid, gid } = statSync(like)
  chownSync(path, uid, gid)
  return {
    path,
    fill: () => {
      // What is in use grows while it is looked at: a disk smaller than that is refused, and measured again.
      for (let tries = 0; tries < FILL_TRIES_MAX; tries += 1) {
        const { blocks, bfree, bsize } = statfsSync(path)
        if (mount('-o', `remount,size=${(blocks - bfree) * bsize + tries * PAGE_BYTES}`, path)) return true
      }
      return false
    },
    makeRoom: () => void mount('-o', `remount,size=${BYTES}`, path),
    unmount: () => void spawnSync('umount', ['-l', path]),
  }
}

function mount(...args: readonly string[]): boolean {
  return spawnSync('mount', args).status === 0
}
