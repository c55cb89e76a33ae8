// Candidates prove themselves by the token that their registration answered with: their id, and a proof that the bot has written it.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { authenticator } from "trestle"

const PREFIX = "ibt_"
const KEY_BYTES = 32
const TOKEN = /^Bearer ibt_(\d{1,12})_([\w-]{43})$/i

/** For a person whom this very call created, and for nobody else: a token for an existing person would be that person's. */
export function issueToken(candidateId: string): string {
  return `${PREFIX}${candidateId}_${proofOf(candidateId).toString("base64url")}`
}

export const candidateTokens = authenticator(
  "candidate-token",
  ({ headers }) => {
    const { authorization = "" } = headers
    if (!/^Bearer ibt_/i.test(authorization)) return null
    const [, id = "", proof = ""] = TOKEN.exec(authorization) ?? []
    const given = Buffer.from(proof, "base64url")
    const wanted = proofOf(id)
    const isTrue = given.length === wanted.length && timingSafeEqual(given, wanted)
    return isTrue ? { id, kind: "user", roles: ["candidate"] } : "bad"
  },
  { scheme: { type: "http", scheme: "bearer", bearerFormat: "ibt_..." } },
)

function proofOf(candidateId: string): Buffer {
  key ??= readKey()
  return createHmac("sha256", key).update(candidateId).digest()
}

let key: Buffer | null = null

/** Made at the first need, and the same after a restart. A new one ends every token. */
function readKey(): Buffer {
  const folder = process.env.TRESTLE_DATA ?? ".trestle"
  const file = join(folder, "candidate-token.key")
  mkdirSync(folder, { recursive: true })
  try {
    writeFileSync(file, randomBytes(KEY_BYTES), { flag: "wx", mode: 0o600, flush: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  const bytes = readFileSync(file)
  if (bytes.length !== KEY_BYTES) throw new Error(`${file} is damaged: remove it, and candidates sign up again`)
  return bytes
}
