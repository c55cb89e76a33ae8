import { Socket } from "node:net"

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/i

let users = 0
let allowed: string | null = null
const connect = Socket.prototype.connect

/**
 * As long as the work lasts, no TCP connection of this process leaves this machine: not those of services, and not those that code of the
 * application makes by itself. They fail at once, before a name is looked up. Sockets of files are refused too: behind them is a real server.
 *
 * @param host the one name or number that is allowed all the same
 */
export async function onLoopbackOnly<T>(work: () => Promise<T>, host: string | null = null): Promise<T> {
  if (users++ === 0) Socket.prototype.connect = guarded as typeof connect
  allowed = host ?? allowed
  try {
    return await work()
  } finally {
    if (--users === 0) {
      Socket.prototype.connect = connect
      allowed = null
    }
  }
}

function guarded(this: Socket, ...given: unknown[]): Socket {
  const place = placeOf(given)
  if (place !== null && (LOOPBACK.test(place) || place === allowed)) return Reflect.apply(connect, this, given) as Socket
  const error = Object.assign(new TypeError(`refused: ${place ?? "a socket file"} is beyond this machine`), { code: "ECONNREFUSED" })
  process.nextTick(() => this.destroy(error))
  return this
}

/** `connect` takes options, a port with a host, a path, or all of that in one list, as `net.connect` hands it on. */
function placeOf(given: readonly unknown[]): string | null {
  const [first, second] = Array.isArray(given[0]) ? (given[0] as unknown[]) : given
  if (typeof first === "string" && Number.isNaN(Number(first))) return null
  if (typeof first !== "object" || first === null) return typeof second === "string" ? second : "localhost"
  const { path, host } = first as { path?: string; host?: string }
  return path === undefined || path === null ? (host?.replace(/^\[|\]$/g, "") ?? "localhost") : null
}
