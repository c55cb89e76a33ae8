import type { AddressInfo } from "node:net"

/** The address of a server that listens, as people open it. */
export function listeningUrl({ address, family, port }: AddressInfo): string {
  const host = address === "127.0.0.1" ? "localhost" : family === "IPv6" ? `[${address}]` : address
  return `http://${host}:${port}`
}
