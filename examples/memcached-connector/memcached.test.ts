import { env, nothing, op, secret } from "trestle"
import { connectorPromises } from "trestle/testing"
import { afterAll, beforeAll, describe, test } from "vitest"
import { z } from "zod"
import { memcached } from "./index.ts"
import { isInstalled, LOGIN, type MemcachedServer, startMemcached } from "./server.ts"

if (!isInstalled) console.warn("memcached is not installed (apt-get install memcached): its promises are not tested here")

const Key = z.object({ key: z.string() })
const place = { host: "127.0.0.1", port: 0 }
let runs = 0

describe.skipIf(!isInstalled && !process.env.CI)("the example connector", () => {
  let server: MemcachedServer
  beforeAll(async () => {
    server = await startMemcached()
    place.port = server.place.port
  })
  afterAll(() => server?.stop())

  const promises = connectorPromises({
    name: "memcached",
    server: place,
    conflict: "CONFLICT",
    declare(at, policy) {
      // The server outlives a promise, so each has keys of its own.
      const prefix = `run-${++runs}-`
      const store = memcached({ address: env("MEMCACHED_ADDRESS"), login: secret("MEMCACHED_LOGIN"), policy })
      return {
        service: store,
        variables: { MEMCACHED_ADDRESS: `${at!.host}:${at!.port}`, MEMCACHED_LOGIN: LOGIN },
        write: op({ effect: "write", input: Key.extend({ text: z.string() }), output: nothing }).via(
          store.add((i) => ({ key: prefix + i.key, text: i.text })),
        ),
        read: op({ effect: "read", input: Key, output: z.object({ text: z.string() }) }).via(store.get((i) => prefix + i.key)),
      }
    },
  })
  for (const { name, run } of promises) test(name, run)
})
