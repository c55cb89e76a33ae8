import { whoIs } from "../contract/intent.ts"
import { DERIVED } from "../contract/job.ts"
import type { Authenticate, Principal, RequestHead } from "../contract/principal.ts"
import type { FollowedJob } from "../durable/job-record.ts"
import { type WorkBook, type WorkReport, workReport } from "../server/work.ts"
import { proven } from "./stages.ts"

/** As they are made; what else stands in an address is not looked for. */
const WORK_ID = new RegExp(`^(${DERIVED}[0-9a-f]{31}|[0-9a-f]{32})$`)

export interface WorkParts {
  readonly find: (id: string) => Promise<FollowedJob | null>
  readonly authenticate: Authenticate | null
}

/**
 * Flows and deferred writes that went on after their calls, for those who made these calls: each sees his own alone. What was put for a caller
 * without credentials is told to whoever knows its id, which nobody can guess.
 */
export class WorkOfCallers implements WorkBook {
  readonly #parts: WorkParts

  constructor(parts: WorkParts) {
    this.#parts = parts
  }

  async find(id: string, head: RequestHead): Promise<WorkReport | null> {
    const who = await this.#callerOf(head)
    const job = await this.#work(id)
    return job && isFor(job, who) ? workReport(job.report, job.end) : null
  }

  /** For the application itself. */
  async look(id: string): Promise<WorkReport | null> {
    const job = await this.#work(id)
    return job && workReport(job.report, job.end)
  }

  async #work(id: string): Promise<FollowedJob | null> {
    const job = WORK_ID.test(id) ? await this.#parts.find(id) : null
    return job?.report.kind === "flow" || job?.report.kind === "deferred" ? job : null
  }

  async #callerOf(head: RequestHead): Promise<Principal | null> {
    const { authenticate } = this.#parts
    return authenticate && proven(await authenticate(head), head)
  }
}

function isFor({ report: { principal, id }, isOwnAuthority }: FollowedJob, who: Principal | null): boolean {
  if (isOwnAuthority) return false
  // An id that is made of what it stands for could be guessed.
  if (principal === null) return !id.startsWith(DERIVED)
  return whoIs(who) === whoIs(principal)
}
