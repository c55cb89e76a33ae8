/** pg-boss: woken by NOTIFY, fetching on while a batch is full; a batch is fetched, and completed, by one statement. */
import pg from "pg"
import { PgBoss } from "pg-boss"
import { CONCURRENCY, consumed, measure } from "./measure.ts"

const boss = new PgBoss({ connectionString: process.env.STORE_URL!, useListenNotify: true, max: CONCURRENCY })
boss.on("error", (error) => console.error(error))
await boss.start()
await boss.createQueue("bench", { notify: true })
const batches = {
  batchSize: 100,
  localConcurrency: 4,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: 0.5,
  notifyPollingIntervalSeconds: 0.5,
}
await boss.work("bench", batches, async (jobs) => consumed(jobs.length))
const client = new pg.Client(process.env.STORE_URL)
await client.connect()

await measure({
  put: (payloads) =>
    payloads.length === 1
      ? boss.send("bench", payloads[0]!)
      : boss.insert(
          "bench",
          payloads.map((data) => ({ data })),
        ),
  left: async () =>
    Number((await client.query("select count(*) as n from pgboss.job where name = 'bench' and state < 'completed'")).rows[0].n),
})
