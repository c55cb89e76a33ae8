// The door `trestle/connector`: what the author of a connector builds on. The built-in ones use nothing else of the house.

export { callerPlace, type SourcePlace } from "../base/source-place.ts"
export type { Outcome, Reason } from "../errors/reasons.ts"
export { TrestleError } from "../errors/trestle-error.ts"
export { type Answer, type Backend, backend, type Plan, type Site } from "./backend.ts"
export type { CallContext, Stoppable } from "./call.ts"
export { answered, type FailureOptions, failure } from "./failure.ts"
export type { Revalidation, Validator } from "./keeping.ts"
export { boundMap, type Drift, type MappingFace, mappingNote, mappingsAmong, type RepairReport } from "./mapping.ts"
export { type Policy, policyMistakes } from "./policy.ts"
export { isReference, type Ref, type References } from "./reference.ts"
export type { Attempt, Connection, Exchange, HasService, Repeat, Service, ServiceHost } from "./service.ts"
