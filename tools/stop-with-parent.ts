// Imported before every test file: it ends when the runner is gone, killed included.
import { stopWithParent } from '@passerelle/kit/service'

stopWithParent(() => process.exit(1))
