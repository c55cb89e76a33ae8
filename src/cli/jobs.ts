import type { Command } from "commander"
import type { Run } from "./program.ts"
import { APP_FLAG } from "./status.ts"

export interface JobsFlags {
  readonly operation?: readonly string[]
  readonly state?: string
  readonly all?: boolean
  readonly limit?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly app?: string
}

export interface ShowFlags {
  readonly answers?: boolean
  readonly app?: string
}

export interface SettleFlags {
  readonly step?: string
  readonly happened?: boolean
  readonly notHappened?: boolean
  readonly answer?: string
  readonly why?: string
  readonly by?: string
  readonly app?: string
}

const collect = (one: string, before: readonly string[] = []): readonly string[] => [...before, one]
const OPERATION_FLAG = ["--operation <target>", 'a path, a group, or a glob such as "mails.*"; repeat it for more', collect] as const
const STATE_FLAG = ["--state <state>", "waiting, running, parked, dead, done or failed"] as const

export function addJobs(program: Command, run: Run): void {
  const jobs = program
    .command("jobs")
    .summary("Look at work that outlives its call, and decide what becomes of it")
    .description(
      "Look at work that is kept in the store: messages, deferred writes, flows, scheduled runs. Works while the application runs.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  trestle jobs list --state dead\n  trestle jobs show 5f0c/mails.welcome\n  trestle jobs retry --all --operation 'mails.*'\n  trestle jobs drop 5f0c/mails.welcome --yes\n  trestle jobs settle 5f0c --step charge --not-happened --why 'none in the bank'\n",
    )
  jobs
    .command("list")
    .description("List what waits for a person, then what is open; the newest first.")
    .option("--all", "what is over, too: done or failed, for as long as that is kept")
    .option(...OPERATION_FLAG)
    .option(...STATE_FLAG)
    .option("--limit <count>", "at most so many", "100")
    .option(...APP_FLAG)
    .action((flags: JobsFlags) => run("jobs", async () => (await import("./jobs-list.ts")).listJobs(flags)))
  jobs
    .command("show")
    .description("Show one with its steps and its history. What it was given is not shown: it may be secret.")
    .argument("<id>")
    .option("--answers", "what the steps of a flow were answered, without what is known to be secret")
    .option(...APP_FLAG)
    .action((id: string, flags: ShowFlags) => run("jobs", async () => (await import("./jobs-show.ts")).showJob(id, flags)))
  jobs
    .command("retry")
    .description("Run again, at once and as if for the first time. --all means all that are dead; say --state parked for those.")
    .argument("[ids...]")
    .option("--all", "every one that is dead, or of the state and operation that are named")
    .option(...OPERATION_FLAG)
    .option(...STATE_FLAG)
    .option("--dry-run", "only show what would be run again")
    .option(...APP_FLAG)
    .action((ids: string[], flags: JobsFlags) => run("jobs", async () => (await import("./jobs-change.ts")).retryJobs(ids, flags)))
  jobs
    .command("drop")
    .description("Remove for good. --all means all that are dead; say --state for others.")
    .argument("[ids...]")
    .option("--all", "every one that is dead, or of the state and operation that are named")
    .option(...OPERATION_FLAG)
    .option(...STATE_FLAG)
    .option("--yes", "do it")
    .option("--dry-run", "only show what would be removed")
    .option(...APP_FLAG)
    .action((ids: string[], flags: JobsFlags) => run("jobs", async () => (await import("./jobs-change.ts")).dropJobs(ids, flags)))
  jobs
    .command("settle")
    .description("Say what you have found out of something of which nobody knows whether it has happened. `jobs show` names it.")
    .argument("<id>")
    .option("--step <name>", "of a flow: the step that is undecided")
    .option("--happened", "it has; a flow goes on from there")
    .option("--answer <json>", "what it gave: JSON, @file, or - for stdin; checked against the output of its operation")
    .option("--not-happened", "it has not; it is done now, or a flow that fails is undone without it")
    .option("--why <text>", "how you know, for the history")
    .option("--by <name>", "who says so, for the history; else the user of this machine")
    .option(...APP_FLAG)
    .action((id: string, flags: SettleFlags) => run("jobs", async () => (await import("./jobs-settle.ts")).settleJob(id, flags)))
}
