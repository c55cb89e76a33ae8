import { expect, it } from "vitest"
import { listeningUrl } from "./listening-url.ts"

it.each([
  ["127.0.0.1", "IPv4", "http://localhost:4000"],
  ["0.0.0.0", "IPv4", "http://0.0.0.0:4000"],
  ["::1", "IPv6", "http://[::1]:4000"],
])("listeningUrl: %s → %s %s", (address, family, url) => expect(listeningUrl({ address, family, port: 4000 })).toBe(url))
