// The door `trestle/contract`: what a contract shared with a browser needs, and nothing that drags the server along.
export type { Duration } from "../base/duration.ts"
export { type FileOptions, type FileSchema, file } from "./file.ts"
export type { FileBody, FileContent, FileSource } from "./file-body.ts"
export type { Drift } from "./mapping.ts"
export { type Contract, type Declared, type Op, op, type Route, type Run, type Server } from "./op.ts"
export { type Access, anyone, can, type Principal, type Rule, role, signedIn } from "./principal.ts"
export { type In, nothing, type Out, type Std } from "./schema.ts"
export { type StreamSchema, stream } from "./stream.ts"
