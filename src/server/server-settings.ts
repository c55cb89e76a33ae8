/**
 * Settings of `node:http` for a server that strangers can reach: a slow head and a slow body each end within 15 s, a head has 16 KiB
 * at most, repeated fields are joined. Trestle's own server has them; pass them to yours: `createServer(serverSettings, handler)`.
 */
export const serverSettings = {
  headersTimeout: 8_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 2_500,
  maxHeaderSize: 16_384,
  // Of two credentials none counts; without this the first would, and a proxy may have looked at the last.
  joinDuplicateHeaders: true,
} as const
