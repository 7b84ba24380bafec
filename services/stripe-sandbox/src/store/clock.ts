/** Where the sandbox's time stands: at real time `realMs` it was `sandboxMs`, and it runs `speed` times as fast (0: stands). */
export type ClockSetting = { readonly realMs: number; readonly sandboxMs: number; readonly speed: number }

/** The sandbox's own time. Everything scheduled follows it; signatures and HTTP time-outs follow real time. */
export class Clock {
  #setting: ClockSetting

  constructor(setting?: ClockSetting) {
    this.#setting = setting ?? { realMs: Date.now(), sandboxMs: Date.now(), speed: 1 }
  }

  get setting(): ClockSetting {
    return this.#setting
  }

  /** Goes on from where an earlier process left the clock. */
  restore(setting: ClockSetting): void {
    const { realMs, sandboxMs, speed } = setting
    this.#setting = { realMs, sandboxMs, speed }
  }

  nowMs(): number {
    const { realMs, sandboxMs, speed } = this.#setting
    return Math.floor(sandboxMs + (Date.now() - realMs) * speed)
  }

  /** Real milliseconds until the sandbox's time is `dueMs`; Infinity when it stands. */
  realDelayMs(dueMs: number): number {
    const ahead = dueMs - this.nowMs()
    if (ahead <= 0) return 0
    return this.#setting.speed === 0 ? Infinity : ahead / this.#setting.speed
  }

  setSpeed(speed: number): void {
    this.#setting = { realMs: Date.now(), sandboxMs: this.nowMs(), speed }
  }

  /** Never backwards. */
  moveTo(sandboxMs: number): void {
    this.#setting = { ...this.#setting, realMs: Date.now(), sandboxMs: Math.max(sandboxMs, this.nowMs()) }
  }
}
