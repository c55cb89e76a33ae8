export type Verdict = { score: number; why: string }
type Credit = { points: number; credited: string; missing: string }

const reasoning =
  /\b(because|therefore|thus|hence|so that|trade-?offs?|however|whereas|although|instead of|rather than|depends on|as a result|on the other hand)\b/g
const examples = /\b(e\.g\.|(?:for example|for instance|such as|[ai][tn] my (?:last|previous|current)|we once|when i|last year)\b)/g
const concrete =
  /\b(\d+(?:[.,]\d+)? ?(?:%|ms|s|seconds|minutes|users|requests|rows|mb|gb)|index(?:es)?|cach(?:e|es|ed|ing)|latency|throughput|queues?|transactions?|timeouts?|retr(?:y|ies)|locks?|schemas?|migrations?|tests?|logs?|metrics|rollback|deploy(?:ed|ment)?|api|sql|profiler?|deadlocks?|idempoten(?:t|cy))(?![a-z])/g

/** Marks an interview answer from 0 to 10: the same text always gets the same mark, whatever it asks for. */
export function mark(message: string): Verdict {
  const answer = answerIn(message).toLowerCase()
  const credits = [
    lengthCredit(answer.match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu)?.length ?? 0),
    wordCredit(distinct(answer, reasoning), 3, "reasoning", "reasons (because, therefore, a trade-off)"),
    wordCredit(distinct(answer, examples).slice(0, 1), 2, "an example", "an example"),
    wordCredit(distinct(answer, concrete), 2, "concrete terms", "concrete terms or numbers"),
  ]
  return { score: credits.reduce((sum, credit) => sum + credit.points, 0), why: sentence(credits) }
}

/** A message may repeat the question first; words of the question earn nothing. */
function answerIn(message: string): string {
  const marker = /^\s*answer:/im.exec(message)
  return marker ? message.slice(marker.index + marker[0].length) : message
}

/** Different words only: the same word ten times is not ten reasons. */
function distinct(text: string, pattern: RegExp): string[] {
  return [...new Set(text.match(pattern))]
}

function lengthCredit(words: number): Credit {
  const points = words >= 80 ? 3 : words >= 40 ? 2 : words >= 12 ? 1 : 0
  return { points, credited: points ? `length (${words} words)` : "", missing: points < 3 ? "more detail" : "" }
}

function wordCredit(found: string[], pointsMax: number, name: string, missing: string): Credit {
  // An example counts whole; of the others each different word earns one point.
  const points = name === "an example" ? found.length * pointsMax : Math.min(found.length, pointsMax)
  return { points, credited: found.length ? `${name} (${found.slice(0, 3).join(", ")})` : "", missing: found.length ? "" : missing }
}

function sentence(credits: Credit[]): string {
  const credited = credits.map((credit) => credit.credited).filter(Boolean)
  const missing = credits.map((credit) => credit.missing).filter(Boolean)
  return `Credited: ${credited.join(", ") || "nothing"}; missing: ${missing.join(", ") || "nothing"}.`
}
