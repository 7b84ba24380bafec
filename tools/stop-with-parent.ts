// Imported before every test file: it ends when the runner is gone, killed included, and when its work is done.
import { stopWithParent } from '@passerelle/kit/service'

stopWithParent(() => process.exit(1))

// Once nothing is left to do, Node closes every handle and waits until each is closed. In one of several runs of a
// campaign one never was, and Node 24.21 waited for it in a busy loop (`Environment::CleanupHandles`) after every test had
// passed. The system closes what is left open: leave at once, after whoever else listens.
process.once('beforeExit', () => process.on('exit', () => process.exit()))
