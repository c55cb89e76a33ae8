/** The two workloads over HTTP: what the upstream answers, what callers send, who is measured, what counts as correct. */
import type { Ready } from "./harness/processes.ts"
import { w1 } from "./w1/workload.ts"
import { w2 } from "./w2/workload.ts"

export interface HttpSubject {
  name: string
  file: string
  /** The subject whose cost is 1.00. */
  reference?: true
  /** Does no work of its own, so wrong input passes through to the upstream. */
  proxyOnly?: true
  nodeArgs?: string[]
}

export interface HttpWorkload {
  title: string
  subjects: HttpSubject[]
  /** Answers of the fast upstream during a measurement. */
  answer(requestLine: string): string
  /** Request bytes that the connections send in turn. */
  requests(subject: Ready): string[]
  /** Asks a fresh subject, in front of a careful upstream; returns what is wrong, empty when all is right. */
  verify(subject: HttpSubject, start: (upstream: string) => Promise<Ready>): Promise<string[]>
}

export const workloads: { w1: HttpWorkload; w2: HttpWorkload } = { w1, w2 }
