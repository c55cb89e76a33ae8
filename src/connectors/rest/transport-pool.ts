import { lookup as ask } from "node:dns"
import type { LookupFunction, Socket } from "node:net"
import { type buildConnector, Client, type Dispatcher, Pool } from "undici"

/** A connection of the pool. */
export interface Carrier {
  /** Ends the making of the connection, if it is still being made. */
  giveUp(): void
}

/** A request that learns which connection carries it; without one as long as it waits in the pool's queue. */
export interface Carried extends Dispatcher.DispatchHandler {
  carrier: Carrier | null
}

/**
 * Connections that are kept alive, one request on each at a time. undici's own timeouts are off: the attempt's timeout and the call's
 * deadline govern. HTTP/2 is off: its streams would share one connection, and its end.
 */
export function openPool(origin: string, connections: number): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 32_768,
    connect: { timeout: 10_000, lookup: oneLookup() } as buildConnector.BuildOptions,
    factory: (url, options) => new PoolClient(url, options as OwnOptions),
  })
}

/**
 * Where the service is, asked once for all connections that are being made. A name server that is silent holds one of Node's few threads
 * for each question, for seconds; those of one service would keep all others from finding theirs, and everybody from their files.
 */
function oneLookup(): LookupFunction {
  let waiting: Parameters<LookupFunction>[2][] | null = null
  return (name, options, done) => {
    if (waiting !== null) return void waiting.push(done)
    const asking = [done]
    waiting = asking
    ask(name, options, (...found) => {
      waiting = null
      for (const one of asking) one(...found)
    })
  }
}

type Connect = (options: buildConnector.Options, done: buildConnector.Callback) => Socket
type OwnOptions = Omit<Client.Options, "connect"> & { readonly connect: Connect }

/**
 * undici has no word for "nobody waits for this connection any more": a handshake that hangs would keep its place in the pool for 10 s, and
 * the pool from closing, though each of the requests that asked for it had long been given up.
 */
class PoolClient extends Client implements Carrier {
  readonly #making: Making

  constructor(url: URL, options: OwnOptions) {
    const making = new Making(options.connect)
    super(url, { ...options, connect: making.connect })
    this.#making = making
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    ;(handler as Carried).carrier = this
    return super.dispatch(options, handler)
  }

  giveUp(): void {
    this.#making.giveUp()
  }
}

/** The connection that is being made. */
class Making {
  readonly connect: buildConnector.connector
  #socket: Socket | null = null

  constructor(connect: Connect) {
    this.connect = (options, done) => {
      this.#socket = connect(options, (...made) => {
        this.#socket = null
        done(...made)
      })
    }
  }

  giveUp(): void {
    this.#socket?.destroy(new Error("given up while connecting"))
  }
}
