// R2, its short form: `npm run reliability -- r2` kills, cuts and fails more often.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, onTestFinished, type TestContext, test } from "vitest"
import { Ledger, lookInto, openStoreIn, type StoreFindings, unitOf } from "./kit/store-ledger.ts"
import { failingFlush, failingWrites, fullDisk, lackOf, lostWrites, TornRecord } from "./runs/store-damage.ts"
import { storeKills } from "./runs/store-kills.ts"

const MINUTE = 60_000
const PAGE_BYTES = 4_096

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-damage-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const nothingWrong = { lost: [], undead: [], halves: [] } satisfies Partial<StoreFindings>

/** `scripts/ci-setup.sh` installs what is missing, so under CI it must be there. */
function skipWithout(need: Parameters<typeof lackOf>[0], { skip }: TestContext): void {
  const lack = lackOf(need)
  if (lack !== null && process.env.CI) expect.fail(`under CI this is an error: ${lack}`)
  if (lack !== null) console.warn(lack)
  skip(lack !== null, lack ?? "")
}

describe("a store's process that is killed", () => {
  test("five times → nothing acknowledged is missing, nothing is there by half", { timeout: 2 * MINUTE }, async () => {
    const figures = await storeKills(join(folderOf(), "notes.db"), 5, Math.random)
    expect(figures).toMatchObject({ ...nothingWrong, kills: 5 })
    expect(figures.acknowledged).toBeGreaterThan(5)
  })

  test("and with it what was not flushed → nothing acknowledged is missing", { timeout: 2 * MINUTE }, async (context) => {
    skipWithout("strace", context)
    const found = await lostWrites(folderOf(), { cuts: 4, acknowledged: 400 })
    expect(found).toHaveLength(4)
    for (const one of found) expect(one).toMatchObject(nothingWrong)
  })

  test("after flushes that failed, then what was not flushed later → nothing acknowledged is missing", {
    timeout: 2 * MINUTE,
  }, async (context) => {
    skipWithout("strace", context)
    const found = await lostWrites(folderOf(), { cuts: 4, acknowledged: 800, isAfterFailure: true })
    expect(found).toHaveLength(4)
    for (const one of found) expect(one).toMatchObject(nothingWrong)
  })
})

describe("a disk", () => {
  test("that is full → refused and not kept, and kept again when there is room", { timeout: 2 * MINUTE }, (context) => {
    skipWithout("a mount of its own", context)
    const figures = fullDisk(folderOf())
    expect(figures).toMatchObject({ ...nothingWrong, unknown: 0, notes: ["notes: database or disk is full (SQLite 13)"] })
    expect(figures.keptWhenFull).toBeGreaterThan(0)
    expect(figures.acknowledged).toBeGreaterThan(figures.keptWhenFull + 50)
  })

  test("whose flushes fail now and then → unknown, and nothing acknowledged is missing", { timeout: 2 * MINUTE }, async (context) => {
    skipWithout("strace", context)
    const figures = await failingFlush(join(folderOf(), "notes.db"), { first: 40, every: 7 })
    expect(figures).toMatchObject(nothingWrong)
    expect(figures.unknown).toBeGreaterThanOrEqual(50)
    expect(figures.notes).toContain("notes: COMMIT failed: disk I/O error (SQLite 1034)")
  })

  test("that takes no more writes → not acknowledged, and nothing acknowledged is missing", { timeout: 2 * MINUTE }, async () => {
    const figures = await failingWrites(join(folderOf(), "notes.db"), 512)
    expect(figures).toMatchObject(nothingWrong)
    expect(figures.acknowledged).toBeGreaterThanOrEqual(50)
  })
})

describe("a last record that is torn", () => {
  const folder = mkdtempSync(join(tmpdir(), "trestle-damage-"))
  const torn = new TornRecord(folder)
  beforeAll(() => torn.write(), MINUTE)
  afterAll(() => rmSync(folder, { recursive: true }))

  for (const damage of ["cut", "garbled"] as const)
    for (const part of [0, 0.01, 0.5, 0.99, 1])
      test(`${damage} at ${part} of its length → the start works, with everything before it`, async () => {
        const { halves, keys } = await torn.after(damage, part)
        expect(halves).toEqual([])
        // One may have been kept whose acknowledgement the kill came before.
        const kept = [...torn.ledger.kept]
        expect(keys.length).toBeGreaterThanOrEqual(kept.length - 1)
        expect(keys).toEqual(expect.arrayContaining(kept.slice(0, kept.length - 1)))
      })
})

describe("a file that is no database any more", () => {
  async function written(): Promise<string> {
    const file = join(folderOf(), "notes.db")
    const { store, session } = await openStoreIn(file)
    for (let n = 0; n < 50; n++) await store.unit(unitOf(`k${n}`))
    await session.close()
    return file
  }
  const refusal = { code: "START_REFUSED" }

  test("its beginning is garbled → the start is refused, and names the file", async () => {
    const file = await written()
    writeFileSync(file, Buffer.concat([Buffer.from("no database"), readFileSync(file).subarray(11)]))
    await expect(openStoreIn(file)).rejects.toMatchObject({ ...refusal, message: expect.stringContaining(file) })
  })

  test("its end is missing → the start is refused, and names the file", async () => {
    const file = await written()
    truncateSync(file, PAGE_BYTES)
    await expect(openStoreIn(file)).rejects.toMatchObject({ ...refusal, message: expect.stringContaining(file) })
  })

  test("the pages of its tables are garbled → the start is refused, and names the file", async () => {
    const file = await written()
    const bytes = readFileSync(file)
    // The first page says which tables there are.
    writeFileSync(file, Buffer.concat([bytes.subarray(0, PAGE_BYTES), Buffer.alloc(bytes.length - PAGE_BYTES, 0xa5)]))
    await expect(openStoreIn(file)).rejects.toMatchObject({ ...refusal, message: expect.stringContaining(file) })
  })

  test("one page within it is garbled → the unit that meets it is refused, and says why", async () => {
    const file = await written()
    const bytes = readFileSync(file)
    writeFileSync(file, Buffer.concat([bytes.subarray(0, bytes.length - PAGE_BYTES), Buffer.alloc(PAGE_BYTES, 0xa5)]))
    const { store, session } = await openStoreIn(file)
    await expect(store.unit(unitOf("new"))).rejects.toMatchObject({ outcome: "refused", note: expect.stringContaining("malformed") })
    await session.close()
  })
})

describe("the end of a process", () => {
  const KIT = new URL("./kit/store-ledger.ts", import.meta.url).href
  const run = (file: string, script: string): { status: number | null; stderr: string } => {
    const source = `import { openStoreIn, unitOf } from ${JSON.stringify(KIT)}
      const { store, session } = await openStoreIn(${JSON.stringify(file)})
      ${script}`
    const args = ["--no-warnings", "--input-type=module", "--eval", source]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 })
    return { status, stderr }
  }

  test("its store is closed → it ends by itself", () => {
    expect(run(join(folderOf(), "notes.db"), 'await store.unit(unitOf("a")); await session.close()')).toEqual({ status: 0, stderr: "" })
  })

  test("its store is not closed, and nothing is under way → it ends by itself", () => {
    expect(run(join(folderOf(), "notes.db"), 'await store.unit(unitOf("a"))')).toEqual({ status: 0, stderr: "" })
  })

  test("nothing was ever kept → it ends by itself", () => {
    expect(run(join(folderOf(), "notes.db"), "")).toEqual({ status: 0, stderr: "" })
  })

  test("units are under way that nobody awaits → it ends when they are kept", async () => {
    const file = join(folderOf(), "notes.db")
    const script = 'for (const key of ["a", "b", "c"]) store.unit(unitOf(key)); setImmediate(() => store.unit(unitOf("d")))'
    expect(run(file, script)).toEqual({ status: 0, stderr: "" })
    const { keys } = await lookInto(file, new Ledger())
    expect(keys).toEqual(expect.arrayContaining(["a", "b", "c", "d"]))
  })
})
