// The statements on claims, over every database that can be a store, as two nodes at once make them.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { systemClock } from "../../src/base/clock.ts"
import type { Connection } from "../../src/contract/service.ts"
import type { HasStore } from "../../src/contract/store.ts"
import { type ClaimRequest, Claims } from "../../src/durable/claims.ts"
import { PLAIN } from "../../src/durable/seal.ts"
import { SealedText } from "../../src/durable/sealed-text.ts"
import { TABLES } from "../../src/durable/tables.ts"
import { postgres, secret, sqlite } from "../../src/index.ts"
import { standInReferences } from "../../src/testing/stand-ins.ts"
import { findPostgres, newDatabase } from "../servers/postgres.ts"

const DAY_MS = 86_400_000
const server = await findPostgres()
let count = 0

function request(over: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    id: "claim",
    formerIds: [],
    fingerprint: "f",
    holder: `holder ${count++}`,
    fence: 0,
    takesOver: false,
    leaseMs: 10_000,
    keptMs: DAY_MS,
    owner: { id: "ada", kind: "user", credential: "c1" },
    ...over,
  }
}

type Open = () => Promise<Connection & HasStore>

async function onSqlite(): Promise<Open> {
  const folder = mkdtempSync(join(tmpdir(), "trestle-claims-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const service = sqlite({ file: join(folder, "store.db"), name: "store" })["~service"]
  const host = { references: { read: (reference: unknown) => String(reference) }, clock: systemClock, concurrency: 1 }
  return async () => (await service.open({ ...host, openTransport: null, isEphemeral: false })) as never
}

async function onPostgres(): Promise<Open> {
  const { url, drop } = await newDatabase(server!)
  onTestFinished(drop)
  const service = postgres({ url: secret("STORE_URL"), name: "store" })["~service"]
  const host = { references: standInReferences({ STORE_URL: url }), clock: systemClock, concurrency: 4 }
  return async () => (await service.open({ ...host, openTransport: null, isEphemeral: false })) as never
}

/** Two nodes with one store. */
async function nodes(database: () => Promise<Open>): Promise<[Claims, Claims]> {
  const open = await database()
  const complain = (message: string): void => expect.fail(message)
  const claims: Claims[] = []
  for (let n = 0; n < 2; n++) {
    const connection = await open()
    onTestFinished(() => connection.close())
    const events = { info: complain, warn: complain, error: complain }
    claims.push(new Claims(await connection.openStore(TABLES), new SealedText(PLAIN), events))
  }
  return claims as [Claims, Claims]
}

describe.each([
  ["SQLite", onSqlite, false],
  ["PostgreSQL", onPostgres, server === null],
] as const)("claims on %s", (_, database, isMissing) => {
  const claimed = (name: string, see: (one: Claims, other: Claims) => Promise<void>): void => {
    test.skipIf(isMissing)(name, async () => see(...(await nodes(database))))
  }

  claimed("a hundred at once on two nodes → one holder; the others find it", async (one, other) => {
    const asked = Array.from({ length: 100 }, (_, n) => request({ holder: `h${n}` }))
    const found = await Promise.all(asked.map((each, n) => (n % 2 ? one : other).take(each)))
    const [holder, ...more] = asked.filter((_, n) => found[n] === null)
    expect(more).toEqual([])
    const others = found.filter((each) => each !== null)
    expect(others).toHaveLength(99)
    for (const each of others)
      expect(each).toEqual({
        id: "claim",
        holder: holder!.holder,
        state: "running",
        isSameRequest: true,
        isHolderGone: false,
        hasWork: false,
        answer: null,
      })
  })

  claimed("a thousand keys at once → each has its holder", async (one, other) => {
    const found = await Promise.all(Array.from({ length: 1_000 }, (_, n) => (n % 2 ? one : other).take(request({ id: `claim ${n}` }))))
    expect(found.every((each) => each === null)).toBe(true)
  })

  claimed("remembered → the other node finds the answer, whoever asks", async (one, other) => {
    const held = request()
    await one.take(held)
    await one.remember(held, "the answer", DAY_MS)
    expect(await other.take(request())).toMatchObject({ state: "answered", answer: "the answer", isSameRequest: true })
    expect(await other.take(request({ fingerprint: "g" }))).toMatchObject({ state: "answered", isSameRequest: false })
  })

  claimed("too large to be kept → answered, without its answer", async (one, other) => {
    const held = request()
    await one.take(held)
    await one.remember(held, "x".repeat(262_145), DAY_MS)
    expect(await other.take(request())).toMatchObject({ state: "answered", answer: null })
  })

  claimed("released → free; by somebody who does not hold it → not", async (one, other) => {
    const held = request()
    await one.take(held)
    await other.release(request())
    expect(await other.take(request())).not.toBeNull()
    await one.release(held)
    expect(await other.take(request())).toBeNull()
  })

  claimed("answered → is not released any more, by its holder either", async (one, other) => {
    const held = request()
    await one.take(held)
    await one.remember(held, "the answer", DAY_MS)
    await one.release(held)
    expect(await other.take(request())).toMatchObject({ state: "answered", answer: "the answer" })
  })

  claimed("unknown → stays so, until its holder has the answer after all", async (one, other) => {
    const held = request()
    await one.take(held)
    await one.settle(held, "unknown")
    expect(await other.take(request())).toMatchObject({ state: "unknown" })
    await one.remember(held, "late", DAY_MS)
    await one.settle(held, "unknown")
    expect(await other.take(request())).toMatchObject({ state: "answered", answer: "late" })
  })

  claimed("pending → whoever asked again may remember the answer", async (one, other) => {
    const held = request()
    await one.take(held)
    await one.settle(held, "pending")
    const found = await other.take(request())
    expect(found).toMatchObject({ state: "pending", holder: held.holder })
    await other.remember({ id: "claim", holder: found!.holder, fence: -1 }, "done", DAY_MS)
    expect(await one.take(request())).toMatchObject({ state: "answered", answer: "done" })
  })

  claimed("its lease is over → its holder is gone", async (one, other) => {
    await one.take(request({ leaseMs: -1 }))
    expect(await other.take(request())).toMatchObject({ state: "running", isHolderGone: true })
  })

  claimed("kept for as long as it should be → the key is new", async (one, other) => {
    await one.take(request({ keptMs: -1 }))
    expect(await other.take(request())).toBeNull()
  })

  claimed(
    "a later run of the same job → takes over what was unfinished, once; an earlier one does not, nor for another input",
    async (one, other) => {
      const run = (fence: number, over: Partial<ClaimRequest> = {}) => request({ holder: "job", fence, takesOver: true, ...over })
      await one.take(run(2))
      expect(await other.take(run(1))).toMatchObject({ state: "running", isHolderGone: false })
      expect(await other.take(run(3, { fingerprint: "g" }))).toMatchObject({ isSameRequest: false })
      expect(await other.take(run(3, { takesOver: false }))).toMatchObject({ isHolderGone: true })
      expect(await other.take(run(3))).toBeNull()
      expect(await other.take(run(3))).toMatchObject({ state: "running", isHolderGone: false })
      await one.remember(run(2), "of the dead", DAY_MS)
      expect(await one.take(request())).toMatchObject({ state: "running" })
      await other.remember(run(3), "of the living", DAY_MS)
      expect(await one.take(run(4))).toMatchObject({ state: "answered", answer: "of the living" })
    },
  )

  claimed("another job, or no job → takes nothing over", async (one, other) => {
    await one.take(request({ holder: "job", fence: 1, takesOver: true }))
    expect(await other.take(request({ holder: "other job", fence: 2, takesOver: true }))).toMatchObject({ isHolderGone: false })
    expect(await other.take(request({ takesOver: true }))).toMatchObject({ isHolderGone: false })
  })

  claimed("claimed under an earlier name → found, and not claimed anew", async (one, other) => {
    const held = request({ id: "then" })
    await one.take(held)
    await one.remember(held, "the answer", DAY_MS)
    expect(await other.take(request({ id: "now", formerIds: ["before", "then"] }))).toMatchObject({ id: "then", answer: "the answer" })
    expect(await other.take(request({ id: "now" }))).toBeNull()
  })

  claimed("what was claimed under an earlier name is over → the key is new", async (one, other) => {
    await one.take(request({ id: "then", keptMs: -1 }))
    expect(await other.take(request({ id: "now", formerIds: ["then"] }))).toBeNull()
  })

  claimed("swept → what is over is gone, in parts where there is much", async (one, other) => {
    await Promise.all(Array.from({ length: 600 }, (_, n) => one.take(request({ id: `over ${n}`, keptMs: -1 }))))
    await one.take(request({ id: "present" }))
    expect(await other.sweep()).toBe(true)
    expect(await other.sweep()).toBe(false)
    expect(await one.take(request({ id: "present" }))).not.toBeNull()
  })

  claimed("forgotten → by principal, or by credential; others stay", async (one, other) => {
    const owners = [{ id: "ada", kind: "user", credential: "c2" }, { id: "bob", kind: "user" }, { id: "ada", kind: "key" }, null] as const
    for (const [n, owner] of [{ id: "ada", kind: "user", credential: "c1" } as const, ...owners].entries()) {
      const held = request({ id: `claim ${n}`, owner })
      await one.take(held)
      await one.remember(held, "kept", DAY_MS)
    }
    const answers = () => Promise.all([0, 1, 2, 3, 4].map(async (n) => (await other.take(request({ id: `claim ${n}` })))!.answer))
    await other.forget({ id: "ada", kind: "user", credential: "c1" })
    expect(await answers()).toEqual([null, "kept", "kept", "kept", "kept"])
    await other.forget({ id: "ada", kind: "user" })
    expect(await answers()).toEqual([null, null, "kept", "kept", "kept"])
  })
})
