import type { OperationStatus } from "trestle"

interface Shown {
  readonly url: string
  readonly data: string
  /** What comes before a verb of the command line. */
  readonly command: string
  readonly recruiterKey: string
  readonly status: readonly OperationStatus[]
  readonly readyInMs: number
}

/** What a person sees first: where it is, how real it is, what to type next. */
export function banner({ url, data, command, recruiterKey, status, readyInMs }: Shown): string {
  const placeholders = status.filter(({ state }) => state === "placeholder")
  const waiting = placeholders.map(({ operation, why }) => `  placeholder    ${operation}: ${why}`)
  return `
  trestle  interview-bot                                        ready in ${Math.round(readyInMs)} ms

  Interview      ${url}   open it and be the candidate
  Recruiter      ${url}/recruiter   and then the recruiter
  Recruiter key  ${recruiterKey}   (for this run)

  API            ${url}   documentation at /docs
  Operations     ${status.length - placeholders.length} wired, ${placeholders.length} placeholder
${waiting.join("\n")}
  Data           ${data}

  See what the people service keeps:    curl -s ${url}/_demo/people
  Make it refuse connections and watch: curl -s ${url}/_demo/fail -H 'content-type: application/json' \\
                                          -d '{"service":"people","mode":"refusing"}'
  Look at what waits meanwhile:         ${command} jobs list
  Stop: Ctrl-C, or as a crash would:    kill -9 ${process.pid}
`
}
