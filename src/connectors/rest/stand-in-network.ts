import { once } from "node:events"
import { type AddressInfo, connect, createServer } from "node:net"
import type { HttpTransport, WireListener, WireRequest, WireStreamListener } from "../../contract/ports.ts"
import { openUndici } from "./transport.ts"

/** The real transport, which can be led to a place where nobody listens. */
export interface Switch extends HttpTransport {
  refuse(): void
  end(): Promise<void>
}

export async function openSwitch(origin: string, connections: number, willRefuse: boolean): Promise<Switch> {
  const open = await openUndici({ origin, connections })
  if (!willRefuse) return new SwitchedTransport(open, null, async () => {})
  const nobody = await placeOfNobody()
  const refused = await openUndici({ origin: `http://127.0.0.1:${nobody.port}`, connections })
  return new SwitchedTransport(open, refused, nobody.close)
}

class SwitchedTransport implements Switch {
  #present: HttpTransport
  readonly #open: HttpTransport
  readonly #refused: HttpTransport | null
  readonly #leave: () => Promise<void>

  constructor(open: HttpTransport, refused: HttpTransport | null, leave: () => Promise<void>) {
    this.#present = open
    this.#open = open
    this.#refused = refused
    this.#leave = leave
  }

  send(request: WireRequest, listener: WireListener): { stop(): void } {
    return this.#present.send(request, listener)
  }

  open(request: WireRequest, listener: WireStreamListener): { stop(): void } {
    return this.#present.open(request, listener)
  }

  refuse(): void {
    if (this.#refused) this.#present = this.#refused
  }

  async close(): Promise<void> {
    await Promise.all([this.#open.close(), this.#refused?.close()])
  }

  end(): Promise<void> {
    return this.#leave()
  }
}

/**
 * A port that is taken, by the near end of a connection, and that nobody listens at. One that was merely free could be given to the next
 * server that opens.
 */
async function placeOfNobody(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const near = connect(port, "127.0.0.1")
  const [[far]] = await Promise.all([once(server, "connection"), once(near, "connect")])
  const close = async (): Promise<void> => {
    const closed = once(server, "close")
    near.destroy()
    far.destroy()
    server.close()
    await closed
  }
  return { port: near.localPort!, close }
}
