import { readFileSync, writeFileSync } from "node:fs"

/** The memory of another process, as Linux sees it. Source: proc(5), /proc/pid/status and /proc/pid/clear_refs. */
export class ProcessMemory {
  readonly #pid: number
  #markMib = 0

  constructor(pid: number) {
    this.#pid = pid
  }

  /** From here on `grownMib` counts. */
  mark(): void {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, "5")
    this.#markMib = this.#mib("VmRSS")
  }

  /** The most that it had above the mark. */
  get grownMib(): number {
    return Math.max(0, this.#mib("VmHWM") - this.#markMib)
  }

  #mib(field: "VmRSS" | "VmHWM"): number {
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${this.#pid}/status`, "utf8"))![1]) / 1_024
  }
}
