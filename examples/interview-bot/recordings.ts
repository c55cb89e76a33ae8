// The recording of an interview: a file of up to 2 GB that passes through the bot, which never holds more than a few pieces of it.
import { asFile, file, op, raw, signedIn } from "trestle"
import { z } from "zod"
import { findOwner, isRecruiter, isSelf } from "./candidates.ts"
import { files } from "./services.ts"

const ById = z.object({ id: z.string().regex(/^\d{1,12}$/) })

export const upload = op({
  http: "POST /candidates/{id}/recording",
  summary: "Upload the recording of one's own interview",
  input: file({ limit: "2gb", types: ["audio/*", "video/*"], fields: ById }),
  output: z.object({ bytes: z.number().int() }),
  allow: signedIn(),
  owner: { load: findOwner, by: (i) => ({ id: i.id }), is: isSelf },
}).via(
  files.call("PUT /files/{id}", {
    params: (i) => ({ id: `recording-${i.id}` }),
    headers: (i) => ({ "file-name": encodeURIComponent(i.file.name ?? "recording") }),
    body: raw((i) => i.file),
    response: z.object({ size: z.number() }),
    map: (stored) => ({ bytes: stored.size }),
  }),
)

export const download = op({
  http: "GET /candidates/{id}/recording",
  summary: "The recording of an interview: to its candidate, and to recruiters",
  input: ById,
  output: file(),
  allow: signedIn(),
  owner: { load: findOwner, is: (row, who) => isSelf(row, who) || isRecruiter(who) },
}).via(files.call("GET /files/{id}", { params: (i) => ({ id: `recording-${i.id}` }), answer: asFile }))
