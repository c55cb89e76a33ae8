// TLS as the address says it, against a server with a certificate of its own.
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { systemClock } from "../../../src/base/clock.ts"
import { nothing, op, postgres, secret, sql } from "../../../src/index.ts"
import { type OwnPostgres, ownPostgres } from "../../servers/postgres.ts"
import { begun } from "../sql/kit.ts"
import { tell } from "./kit.ts"

const CERTIFICATES = join(import.meta.dirname, "..", "..", "cli", "certificates")
const AUTHORITY = join(CERTIFICATES, "authority.pem")
const own: OwnPostgres | null = await ownPostgres({ certificate: join(CERTIFICATES, "valid") })

function world(fields: Record<string, string>, host?: string) {
  const url = new URL(own!.url)
  if (host) url.hostname = host
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value)
  const db = postgres({ url: secret("NOTES_DB"), policy: { retry: 0, timeout: "10s" } })
  const encrypted = op({ effect: "read", input: nothing, output: z.boolean() }).via(
    db.one(() => sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`, { row: (row) => row.ssl }),
  )
  const slow = op({ effect: "read", input: nothing, output: z.array(z.any()) }).via(
    db.many(() => sql`select pg_sleep(60), 'over TLS' as it`),
  )
  return begun({ encrypted, slow }, { clock: systemClock, values: { NOTES_DB: url.href } })
}

describe.skipIf(own === null)("TLS", () => {
  test("verify-full with who signed it: encrypted", async () => {
    const { ask } = await world({ sslmode: "verify-full", sslrootcert: AUTHORITY }, "localhost")
    expect(await ask.encrypted()).toBe(true)
  })

  test("a certificate that nobody here trusts: refused, by its code", async () => {
    const { ask, lastNote } = await world({ sslmode: "verify-full" }, "localhost")
    expect(await ask.encrypted.safe()).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    expect(lastNote()).toMatch(/certificate/)
  })

  test("require: checks the certificate too", async () => {
    const { ask } = await world({ sslmode: "require" }, "localhost")
    expect(await ask.encrypted.safe()).toMatchObject({ code: "UNAVAILABLE" })
  })

  test("disable: plain, because it says so", async () => {
    expect(await (await world({ sslmode: "disable" })).ask.encrypted()).toBe(false)
  })

  test("a call that is given up: its query is cancelled, over TLS too", async () => {
    const { ask } = await world({ sslmode: "verify-full", sslrootcert: AUTHORITY }, "localhost")
    const running = () =>
      tell(own!.url, "select 1 from pg_stat_activity where state = 'active' and query like '%over TLS%' and query not like '%pg_stat%'")
    const controller = new AbortController()
    const reading = ask.slow.safe(undefined, { signal: controller.signal })
    while ((await running()).length === 0);
    controller.abort()
    expect(await reading).toMatchObject({ code: "CANCELLED" })
    while ((await running()).length > 0);
  })
})
