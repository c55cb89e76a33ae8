import pg from "pg"
import { FaultProxy } from "../../../src/testing/fault-proxy.ts"
import { findPostgres, newDatabase } from "../../servers/postgres.ts"

/** A database of a real server, with the faults of networks before it. */
export interface PostgresBehindProxy extends AsyncDisposable {
  readonly url: string
  readonly proxy: FaultProxy
  /** Somebody else locks the one row, and does not come to an end. */
  hold(): Promise<void>
  letGo(): Promise<void>
}

/** `null` where there is no server. */
export async function postgresBehindProxy(): Promise<PostgresBehindProxy | null> {
  const server = await findPostgres()
  if (server === null) return null
  const database = await newDatabase(server)
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query("create table things (n integer); insert into things values (0)")
  const behind = new URL(database.url)
  const proxy = await FaultProxy.open({ host: behind.hostname, port: Number(behind.port) })
  const url = new URL(behind)
  url.hostname = proxy.place.host
  url.port = String(proxy.place.port)
  return {
    url: url.href,
    proxy,
    hold: async () => void (await other.query("begin; update things set n = n")),
    letGo: async () => void (await other.query("rollback")),
    async [Symbol.asyncDispose]() {
      await proxy.close()
      await other.end()
      await database.drop()
    },
  }
}
