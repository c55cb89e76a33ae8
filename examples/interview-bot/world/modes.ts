export const services = ["people", "replica", "scoring"] as const
export const modes = ["ok", "slow", "failing", "refusing", "drifting"] as const

export type Service = (typeof services)[number]
export type Mode = (typeof modes)[number]

export const slowMs = 5_000

const peopleNotes: Record<Mode, string> = {
  ok: "answers normally.",
  slow: "holds every answer back 5 seconds, yet stores a new record at once, so a caller that gives up has registered somebody all the same.",
  failing:
    "answers 500 with a page of garbage, yet stores a new record first, so a caller that is told of an error has registered somebody all the same.",
  refusing: "refuses connections, so nothing can be stored or read there.",
  drifting: "answers the same records in a changed shape: fullName, a number as person_no and an ISO date.",
}

const scoringNotes: Record<Mode, string> = {
  ok: "answers normally: a score after 0.3 to 0.9 seconds, and 503 to every 7th request.",
  slow: "holds every score back 5 more seconds.",
  failing: "answers 500 with a page of garbage instead of a score.",
  refusing: "refuses connections, so no answer can be scored.",
  drifting: "answers in prose where JSON was agreed, so no score can be read from it.",
}

/** Says in one sentence what a person will see while `service` plays `mode`. */
export function noteOf(service: Service, mode: Mode): string {
  return `The ${service} service now ${(service === "scoring" ? scoringNotes : peopleNotes)[mode]}`
}
