// On whose behalf kept work runs: as whoever it was put for, as they are now.
import { describe, expect, test } from "vitest"
import type { DurableParts } from "../../src/assembly/durable.ts"
import { startApp } from "../../src/assembly/start.ts"
import { seededRandom } from "../../src/base/random.ts"
import type { JobReport } from "../../src/contract/job.ts"
import { type Authenticator, authenticator, code, nothing, op, type Principal, role, trestle } from "../../src/index.ts"
import { authenticateKeys } from "../../src/security/api-keys.ts"
import { memoryKeyStore } from "../../src/security/key-store.ts"
import { FakeClock } from "../../src/testing/index.ts"
import { rememberingLog, testEnvironment } from "../../src/testing/stand-ins.ts"
import { newJob } from "../durable/kit.ts"

const clerk: Principal = { id: "ada", kind: "user", roles: ["clerk"], tenant: "north", claims: { token: "t0ken" } }

/** Puts one job for that principal, does what is due, and says who the operation saw and what is left of the job. */
async function runFor(
  principal: Principal,
  authenticate: readonly Authenticator[] = [],
  clock = new FakeClock(),
): Promise<{ seen: unknown[]; job: JobReport | undefined }> {
  const seen: unknown[] = []
  const send = op({ effect: "write", repeat: "natural", every: "1h", allow: role("clerk"), input: nothing, output: nothing }).via(
    code((_, ctx) => void seen.push(ctx.user)),
  )
  let durable!: DurableParts
  const running = await startApp(trestle({ name: "keeping", ops: { send }, authenticate }), {
    clock,
    isEphemeral: true,
    environment: testEnvironment,
    keptFolder: null,
    log: rememberingLog([]),
    durable: {
      isByHand: true,
      published: () => {},
      opened: (parts) => {
        durable = parts
      },
    },
  })
  await durable.site.put(newJob("a", { kind: "message", operation: "send", input: undefined, principal, isOwnAuthority: false }))
  await durable.work()
  const job = (await durable.desk.find("a")) ?? undefined
  await running.close()
  return { seen, job }
}

const staff = (now: (who: Principal) => unknown): Authenticator =>
  authenticator("badge", () => null, { resolve: (who) => now(who) as Principal })

describe("kept work", () => {
  test("whose principal nobody resolves → runs with what it might do when it was put, never with its claims", async () =>
    expect(await runFor(clerk)).toEqual({ seen: [{ id: "ada", kind: "user", roles: ["clerk"], tenant: "north" }], job: undefined }))

  test("whose principal has other roles now → runs with those", async () => {
    const { seen } = await runFor({ ...clerk, roles: [] }, [staff((who) => ({ ...who, roles: ["clerk"] }))])
    expect(seen).toMatchObject([{ roles: ["clerk"] }])
  })

  test("whose principal has lost its role → is parked, and not run", async () => {
    const { seen, job } = await runFor(clerk, [staff((who) => ({ ...who, roles: [] }))])
    expect([seen, job]).toMatchObject([[], { state: "parked", history: [{ what: "parked", code: "FORBIDDEN" }] }])
  })

  test("whose principal has ended → is parked, and not run", async () => {
    const { seen, job } = await runFor(clerk, [staff(() => "ended")])
    expect([seen, job]).toMatchObject([[], { state: "parked", history: [{ why: expect.stringContaining("credential has ended") }] }])
  })

  test("that one authenticator does not know → the next one is asked", async () => {
    const { seen } = await runFor(clerk, [staff(() => null), staff((who) => ({ ...who, tenant: "south" }))])
    expect(seen).toMatchObject([{ tenant: "south" }])
  })

  test.each<[string, (who: Principal) => unknown]>([
    [
      "throws",
      () => {
        throw new TypeError("down")
      },
    ],
    ["rejects", () => Promise.reject(new TypeError("down"))],
    ["gives somebody else", (who) => ({ ...who, id: "eve" })],
    ["gives no principal", () => ({ id: "ada" })],
  ])("whose authenticator %s → is not run, and tried again", async (_, now) => {
    const { seen, job } = await runFor(clerk, [staff(now)])
    expect([seen, job]).toMatchObject([[], { state: "waiting", history: [{ what: "failed", code: "UNAVAILABLE" }] }])
  })
})

describe("kept work whose authenticator never answers", () => {
  test("→ is not run, holds up nothing, and is tried again", async () => {
    const clock = new FakeClock()
    const running = runFor(clerk, [staff(() => new Promise(() => {}))], clock)
    for (let turns = 0; turns < 100; turns++) await clock.advance("1s")
    const { seen, job } = await running
    expect([seen, job]).toMatchObject([[], { state: "waiting", history: [{ what: "failed", code: "UNAVAILABLE" }] }])
  })
})

describe("kept work of an API key", () => {
  const now = (): number => 1_000
  const store = memoryKeyStore({ now, random: seededRandom(1) })
  const keys: Authenticator = { kind: "api-keys", open: () => authenticateKeys(store, now) }
  const created = async (name: string, roles: readonly string[] = ["clerk"]): Promise<Principal> => {
    const { record } = await store.create({ name, roles, permissions: [], principalId: `for-${name}`, expiresInMs: null })
    return { id: `for-${name}`, kind: "key", credential: record.id, roles: [] }
  }

  test("that works → runs with the roles of the key", async () => {
    const principal = await created("works")
    expect((await runFor(principal, [keys])).seen).toMatchObject([{ id: "for-works", roles: ["clerk"] }])
  })

  test("that was revoked → is parked", async () => {
    const principal = await created("revoked")
    await store.revoke("revoked")
    expect((await runFor(principal, [keys])).job).toMatchObject({ state: "parked", history: [{ code: "FORBIDDEN" }] })
  })

  test("that was replaced by another key of the same principal → runs", async () => {
    const principal = await created("old")
    await store.revoke("old")
    await store.create({ name: "new", roles: ["clerk"], permissions: [], principalId: "for-old", expiresInMs: null })
    expect((await runFor(principal, [keys])).seen).toHaveLength(1)
  })

  test("of a principal that no key is for → is another authenticator's, and runs as it was", async () =>
    expect((await runFor({ ...clerk, kind: "key" }, [keys])).seen).toHaveLength(1))
})
