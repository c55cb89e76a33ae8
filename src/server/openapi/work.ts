import type { Operation } from "../../contract/operation.ts"
import type { JsonSchema } from "../../contract/schema.ts"
import { CATALOG } from "../../errors/catalog.ts"
import { PROBLEM_MEDIA_TYPE } from "../../errors/problem.ts"
import { within } from "../../runtime/within.ts"
import { EVENTS_MEDIA_TYPE } from "../stream-stages.ts"

const PROBLEM = { $ref: "#/components/schemas/Problem" }

const PREFER = {
  name: "Prefer",
  in: "header",
  description:
    "`respond-async`: do not wait for what goes on anyway. `wait=10`: wait for it so many seconds at most. Without it the answer comes with the end of the work, or at the operation's deadline.",
  schema: { type: "string" },
  example: "respond-async",
}
const HEADERS = {
  Location: { description: "Where the work is seen that goes on.", schema: { type: "string" } },
  "Preference-Applied": { description: "`respond-async`, where that decided.", schema: { const: "respond-async" } },
}

/** What it adds to an operation that its work may go on after its call; `null` for all others. */
export interface Work {
  readonly parameters: readonly object[]
  /** 202. */
  readonly provisional: object
}

/** Source: RFC 7240, sections 4.1 and 4.3; RFC 9110, section 15.3.3. */
export function workOf({ effect, declaration: { backend }, status }: Operation, content: object | null): Work | null {
  if (effect === "read" || backend === null || status === 202) return null
  const durable = within(backend).filter(({ plan }) => plan.isDurable)
  if (durable.length === 0) return null
  const isAnswered = content !== null && durable.some(({ kind }) => kind !== "flow")
  const { title, detail } = CATALOG.PENDING
  const pending = { [PROBLEM_MEDIA_TYPE]: { schema: { allOf: [PROBLEM, { type: "object", properties: { code: { const: "PENDING" } } }] } } }
  const description = isAnswered ? "A provisional answer; the work goes on." : `${title}. ${detail}`
  return { parameters: [PREFER], provisional: { description, headers: HEADERS, content: { ...(isAnswered ? content : {}), ...pending } } }
}

const REPORT: JsonSchema = {
  type: "object",
  description: "How far work has come that goes on after its call.",
  properties: {
    id: { type: "string" },
    operation: { type: "string" },
    state: { enum: ["waiting", "running", "parked", "done", "failed"], description: "`parked`: it waits for a person." },
    since: { type: "string", format: "date-time" },
    progress: {
      type: "object",
      properties: {
        done: { type: "integer", description: "Steps that are done." },
        step: { type: "string", description: "The one under way, or the one that is being undone." },
        undoing: { type: "string", description: "The work has failed with this code, and is being undone." },
      },
      required: ["done", "step"],
    },
    answer: { description: "Of `done`: as the operation answers." },
    problem: { ...PROBLEM, description: "Of `failed`." },
  },
  required: ["id", "operation", "state", "since"],
}

/** It belongs to no operation, so it stands apart from their groups. */
export const WORK_TAG = "work that goes on"

/** The address at which work is seen. Whoever called without a credential sees his work without one. */
export function workPath(schemes: readonly string[]): Record<string, Record<string, object>> {
  const get = {
    summary:
      "How far work has come that goes on after its call, for whoever made that call; also as server-sent events, one for each change.",
    tags: [WORK_TAG],
    security: [{}, ...schemes.map((scheme) => ({ [scheme]: [] }))],
    parameters: [
      { name: "id", in: "path", required: true, schema: { type: "string" } },
      { ...PREFER, description: "`wait=10`: answer when the work is over, or after so many seconds.", example: "wait=10" },
    ],
    responses: {
      200: { description: "Success.", content: { "application/json": { schema: REPORT }, [EVENTS_MEDIA_TYPE]: { schema: REPORT } } },
      204: { description: "To an event source that has heard of the end: do not connect again." },
      401: { description: "The credential is not valid.", content: { [PROBLEM_MEDIA_TYPE]: { schema: PROBLEM } } },
      404: { description: "There is no such work, or it is somebody else's.", content: { [PROBLEM_MEDIA_TYPE]: { schema: PROBLEM } } },
    },
  }
  return { "/work/{id}": { get } }
}
