import { excerptAt, pathOf } from "../base/source-excerpt.ts"
import type { SourcePlace } from "../base/source-place.ts"
import type { Finding } from "../contract/finding.ts"

interface FindingKind {
  readonly title: string
  /** Why it is refused, or warned of. */
  readonly why: string
  /** Default `error`. */
  readonly severity?: "warning"
}

/** Everything that can be wrong with a declaration. `docs/reference/findings.md` is compared with this table by a test. */
export const FINDINGS = {
  TRS1001: {
    title: "two operations on one route",
    why: "Only one of them could ever be reached, and which one would depend on the order of the file.",
  },
  TRS1002: { title: "http without allow", why: "An operation that can be reached from outside is closed until you say who may call it." },
  TRS1003: {
    title: "one operation at two paths",
    why: "Its path is its name in logs, clients and stored work; with two names half of them would be wrong.",
  },
  TRS1004: {
    title: "route parameter missing from the input",
    why: "A value in the path that the input does not declare would be thrown away unseen.",
  },
  TRS1005: {
    title: "input names an object without owner",
    why: "Whoever may call it could read or change every object by guessing its id (OWASP API1, broken object level authorization).",
  },
  TRS1006: {
    title: "missing effect",
    why: "Retries, fallbacks and repeats are decided by whether the operation may change something; without a verb nothing says so.",
  },
  TRS1007: {
    title: "schema without JSON Schema",
    why: "What has no JSON form can be neither sent, nor documented, nor checked for unknown fields.",
  },
  TRS1008: {
    title: "answer breaks its own contract",
    why: "Callers would be built against an answer that the real backend will never be allowed to give.",
  },
  TRS1009: { title: "made-up or old answer on a write", why: "It would tell the caller that something was done which was not done." },
  TRS1010: {
    title: "write falls back to another service",
    why: "Another service has other records under other ids; only a service declared `replicaOf` the first holds the same ones.",
  },
  TRS1011: {
    title: "route that cannot be used",
    why: "The address must be readable, and must not take the place of one of Trestle's own.",
  },
  TRS1012: { title: "value out of range", why: "A policy, a duration or a status that means nothing would be replaced by a guess." },
  TRS1013: {
    title: "not an operation",
    why: "Everything in `ops` becomes callable under its path, so it must be an operation or a group of them.",
  },
  TRS1014: { title: "service declaration", why: "It could not be opened, or not used, as it is declared." },
  TRS1015: {
    title: "input that does not fit its entrance",
    why: "Path and query carry named values, so the input of such an operation must be an object with fields.",
  },
  TRS1016: { title: "operation without backend", why: "Nothing could answer it: it has neither a backend nor an example to answer with." },
  TRS1017: {
    title: "owner that cannot be loaded",
    why: "Ownership is decided on the stored object, so the operation that loads it must be one of the application's.",
  },
  TRS1018: {
    title: "fallback without time",
    why: "When what stands before it hangs, the deadline is over before its turn comes; it only helps against quick failures.",
    severity: "warning",
  },
  TRS1025: {
    title: "mapping that cannot work",
    why: "It would refuse every record, or read a text in a way that nobody can be sure of.",
  },
  TRS1026: {
    title: "drift without effect",
    why: "Only a mapping knows what each field may drift to; a function written by hand takes what it takes.",
    severity: "warning",
  },
  TRS1027: {
    title: "etag without an answer to keep",
    why: "An ETag names the version of an answer that a client may hold; a write, or an answer of nothing, gives it none to hold.",
  },
  TRS1028: {
    title: "lastGood with nothing before it",
    why: "It remembers what the parts of a `fallback` before it have answered; anywhere else it would never have an answer.",
  },
  TRS1029: {
    title: "kept answer that comes piece by piece",
    why: "A file or a stream is read once, by one caller; there is no whole answer that could be given again.",
  },
  TRS1030: {
    title: "file or stream that cannot be carried",
    why: "A file comes as a request's body, and its fields as texts beside it; a stream only goes out.",
  },
  TRS1031: {
    title: "answer of another kind",
    why: "A file and a list that is read item by item are handed on as they come, so the output must be one too.",
  },
  TRS1032: {
    title: "file for two backends",
    why: "A file that comes over the network can be read once: what the first has begun to read, the second cannot have.",
    severity: "warning",
  },
  TRS1035: {
    title: "former path that is taken",
    why: "A client built against that path would be answered by one operation today and by another tomorrow.",
  },
  TRS1036: {
    title: "replacement that does not exist",
    why: "Whoever reads that an operation ends must be able to go where it sends them.",
  },
  TRS1037: {
    title: "end that is no date",
    why: "Callers plan by it: the headers `Sunset` and `Deprecation` carry a day that exists.",
  },
  TRS1038: {
    title: "operation past its end",
    why: "Its callers were told that it would be gone by now.",
    severity: "warning",
  },
  TRS1039: {
    title: "pages that cannot be served",
    why: "Every page would be missing, or refused by the browser, and the first to know would be a visitor.",
  },
  TRS1040: {
    title: "hedged write",
    why: "A hedge sends the same request twice on purpose; a write sent twice may be done twice.",
  },
  TRS1046: {
    title: "kept work that may not be repeated",
    why: "A message and a scheduled run come at least once: after a crash nobody can tell whether the last run had its effect, so it is run again.",
  },
  TRS1047: {
    title: "two topics of one name",
    why: "Messages carry the name of their topic and its version; whoever takes the one would be given the other.",
  },
  TRS1048: {
    title: "message or schedule that cannot be run",
    why: "It would be given up on at every run, and nobody is there to hear of it.",
  },
  TRS1050: {
    title: "key without an answer to remember",
    why: "Under a key an answer is kept and given again: a read has no effect that this would protect, and what comes piece by piece is gone once it was given.",
  },
  TRS1051: {
    title: "secret that is not given again",
    why: "Of callers without credentials only the key is known, so what is secret in an answer is given once; a required field would then be missing.",
  },
  TRS1052: {
    title: "deferral that can defer nothing",
    why: "Only a write can be kept for later, and only when something before it has failed; anywhere else its caller would be told of work that nobody does.",
  },
  TRS1053: {
    title: "grant of what is not there",
    why: "It would give a right to nothing, and the operation that was meant would still be refused to the flow's callers.",
  },
  TRS1054: {
    title: "transaction that leaves no mark",
    why: "After a crash nobody could tell whether a flow's transaction was committed: only a mark in the same database says so.",
  },
  TRS1055: {
    title: "work that cannot be kept",
    why: "What goes on after its call is kept in the store: what is read once is gone by then, and a secret would stand there to be read.",
  },
  TRS1070: {
    title: "order that is lost by waiting",
    why: "A write that waits is overtaken by the later ones of its key, and in the end overwrites what is newer.",
  },
} as const satisfies Record<string, FindingKind>

/** What only a start can find, since it depends on what a service holds. */
export const START_FINDINGS = {
  TRS1020: {
    title: "database behind its migrations",
    why: "Operations would meet tables that are not there yet, or not yet as they expect them.",
  },
  TRS1021: {
    title: "migrations that do not fit",
    why: "Nobody could say any more which tables the database has: what was applied must stay what it was.",
  },
  TRS1022: { title: "migration that fails", why: "It is applied as a whole or not at all, and so are those after it." },
  TRS1034: {
    title: "host that does not fit",
    why: "A logger that is none would lose every line, and an address that begins with nothing would never be reached.",
  },
  TRS1043: {
    title: "driver that is not installed",
    why: "A database of another make is spoken to by a package of its own, which the application chooses; Trestle brings none along.",
  },
  TRS1045: {
    title: "store of a newer Trestle",
    why: "What an older version does not know of the tables, it would leave undone, or do twice.",
  },
  TRS1049: {
    title: "store that holds no tables of Trestle's",
    why: "Work that outlives the process must be kept somewhere that does too.",
  },
  TRS1068: {
    title: "store of another application",
    why: "Kept work and answers go by the paths of operations: one application would run the work of the other, and give its answers away.",
  },
} as const satisfies Record<string, FindingKind>

export type FindingCode = keyof typeof FINDINGS | keyof typeof START_FINDINGS

export function finding(code: FindingCode, place: SourcePlace | null, message: string, fix: string): Finding {
  const kind: FindingKind = { ...FINDINGS, ...START_FINDINGS }[code]
  return { code, severity: kind.severity ?? "error", message, ...placed(place), why: kind.why, fix }
}

/** Never throws: a place may come from a declaration that was put together by hand. */
function placed(place: SourcePlace | null): Pick<Finding, "at" | "file" | "line" | "excerpt"> {
  try {
    if (place) {
      const file = pathOf(place)
      return { at: `${file}:${place.line}`, file, line: place.line, excerpt: excerptAt(place) }
    }
  } catch {
    // As good as none.
  }
  return { at: "(unknown place)", file: null, line: null, excerpt: "" }
}
