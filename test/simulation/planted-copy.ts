import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect } from "vitest"
import type { Planted } from "./planted.ts"

const ROOT = join(import.meta.dirname, "..", "..")

/** A copy of the sources and the simulation, in which bugs are planted one at a time. */
export class PlantedCopy {
  readonly #folder = mkdtempSync(join(tmpdir(), "trestle-planted-"))

  constructor() {
    const folder = this.#folder
    cpSync(join(ROOT, "src"), join(folder, "src"), { recursive: true, filter: (name) => !name.endsWith(".test.ts") })
    cpSync(join(ROOT, "test", "simulation"), join(folder, "test", "simulation"), { recursive: true })
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction")
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  }

  /** What a simulation with that bug prints. */
  async with({ file, from, to }: Planted, args: readonly string[]): Promise<string> {
    const path = join(this.#folder, "src", file)
    const sound = readFileSync(path, "utf8")
    expect(sound.split(from).length, `${file} has exactly one place to plant it`).toBe(2)
    writeFileSync(
      path,
      sound.replace(from, () => to),
    )
    try {
      return await this.simulated(args)
    } finally {
      writeFileSync(path, sound)
    }
  }

  async simulated(args: readonly string[]): Promise<string> {
    const run = promisify(execFile)(process.execPath, [join(this.#folder, "test", "simulation", "sim.ts"), ...args], {
      cwd: this.#folder,
      timeout: 100_000,
    })
    return run.then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
    )
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
