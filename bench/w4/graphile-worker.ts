/** graphile-worker with its local queue and its batches of completions, as its manual says for speed. */
import { Logger, makeWorkerUtils, run } from "graphile-worker"
import pg from "pg"
import { CONCURRENCY, consumed, measure } from "./measure.ts"

const pgPool = new pg.Pool({ connectionString: process.env.STORE_URL, max: CONCURRENCY + 4 })
const logger = new Logger(() => () => {})
const utils = await makeWorkerUtils({ pgPool, logger })
await utils.migrate()
await run({
  pgPool,
  logger,
  concurrency: CONCURRENCY,
  noHandleSignals: true,
  taskList: { ask: () => consumed() },
  preset: { worker: { concurrentJobs: CONCURRENCY, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
})

await measure({
  put: (payloads) =>
    payloads.length === 1 ? utils.addJob("ask", payloads[0]) : utils.addJobs(payloads.map((payload) => ({ identifier: "ask", payload }))),
  left: async () => Number((await pgPool.query("select count(*) as n from graphile_worker.jobs")).rows[0].n),
})
