// Candidates prove themselves by the token that their registration answered with. Only its hash is kept.
import { createHash, randomBytes } from "node:crypto"
import { authenticator } from "trestle"
import { JsonLines } from "./json-lines.ts"

const PREFIX = "ibt_"
const issued = new JsonLines<{ hash: string; candidateId: string }>("candidate-tokens.jsonl")

// A fast hash is right here: the token is 256 random bits, which nobody can try out.
const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex")

export const tokens = {
  /** For a person whom this very call created, and for nobody else: a token for an existing person would be that person's. */
  async issue(candidateId: string): Promise<string> {
    const token = PREFIX + randomBytes(32).toString("base64url")
    await issued.append({ hash: hashOf(token), candidateId })
    return token
  },
}

export const candidateTokens = authenticator(
  "candidate-token",
  ({ headers }) => {
    const token = /^Bearer (ibt_\S+)$/i.exec(headers.authorization ?? "")?.[1]
    if (token === undefined) return null
    const hash = hashOf(token)
    const found = issued.rows().find((row) => row.hash === hash)
    return found ? { id: found.candidateId, kind: "user", roles: ["candidate"] } : "bad"
  },
  { scheme: { type: "http", scheme: "bearer", bearerFormat: "ibt_..." } },
)
