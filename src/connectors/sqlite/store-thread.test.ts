import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, onTestFinished, test } from "vitest"
import type { GroupReply } from "./store-message.ts"
import { StoreThread, WORKER } from "./store-thread.ts"

const TEXTS = [
  { text: "create table if not exists notes (text text)", valueCount: 0 },
  { text: "insert into notes (text) values (?)", valueCount: 1 },
  { text: "select text from notes order by rowid", valueCount: 0 },
]
const MAKE = [1, 0, -1]
const READ = [1, 2, -1]

function opened(worker?: (folder: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), "trestle-store-"))
  const file = join(folder, "notes.db")
  writeFileSync(file, "")
  const source = join(folder, "worker.mjs")
  if (worker) writeFileSync(source, worker(folder))
  const thread = new StoreThread({ file, waitMs: 1_000 }, worker && pathToFileURL(source))
  onTestFinished(async () => {
    await thread.close()
    rmSync(folder, { recursive: true })
  })
  return { file, write: (...units: (string | number)[]): Promise<GroupReply> => thread.write(TEXTS, units), thread }
}

/** The real one, which ends without a word when it is asked to keep "poison". */
const MORTAL = (): string => `
import { parentPort } from "node:worker_threads"
parentPort.on("message", ({ units }) => { if (units?.includes("poison")) process.exit(7) })
await import(${JSON.stringify(WORKER.href)})
`

describe("the thread that writes", () => {
  test("a group: is written, and its reply comes back", async () => {
    const { write } = opened()
    expect((await write(...MAKE)).outcome).toBe("kept")
    expect((await write(1, 1, -1, "a", ...READ)).results).toEqual([0, 1, 0, 1, "a"])
  })

  test("ends by itself: its group is unknown, the next is written by a new thread", async () => {
    const { write } = opened(MORTAL)
    await write(...MAKE, 1, 1, -1, "a")
    const reply = await write(1, 1, -1, "poison")
    expect(reply.outcome).toBe("unknown")
    expect(reply.fault?.message).toContain("has ended: code 7")
    expect((await write(1, 1, -1, "b", ...READ)).results).toEqual([0, 1, 0, 2, "a", "b"])
  })

  test("ends while nothing is under way: the next group is written by a new thread", async () => {
    const { write, thread } = opened()
    await write(...MAKE)
    await thread.close()
    expect((await write(1, 1, -1, "a", ...READ)).results).toEqual([0, 1, 0, 1, "a"])
  })

  test("cannot be begun: unknown at worst, and never without an answer", async () => {
    const { write } = opened(() => "throw new Error('no such thread')")
    const reply = await write(...MAKE)
    expect(reply.outcome).toBe("unknown")
    expect(reply.fault?.message).toContain("no such thread")
  })

  test("its file is not there: refused, and none is made", async () => {
    const { write, file } = opened()
    rmSync(file)
    expect(await write(...MAKE)).toMatchObject({ outcome: "refused", fault: { message: "its file is gone" } })
  })
})
