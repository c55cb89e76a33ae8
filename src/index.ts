// The main door. Named exports only.

// what is declared
export type { App, Running, StartOptions, TrestleOptions } from "./assembly/definition.ts"
export { trestle } from "./assembly/trestle.ts"
// backends
export { type CacheOptions, cache } from "./backends/cache.ts"
export { type CoalesceOptions, coalesce } from "./backends/coalesce.ts"
export { code } from "./backends/code.ts"
export { type Crud, type CrudName, type CrudOptions, crud, type ListInput, type Page } from "./backends/crud.ts"
export { type DeferOptions, defer } from "./backends/defer.ts"
export { fallback } from "./backends/fallback.ts"
export { type FlowOptions, flow, type StepSpec, type Steps } from "./backends/flow.ts"
export { type LastGoodOptions, lastGood } from "./backends/last-good.ts"
export { placeholder } from "./backends/placeholder.ts"
export { value } from "./backends/value.ts"
export type { Duration } from "./base/duration.ts"
// connectors
export { type PostgresOptions, postgres } from "./connectors/postgres/index.ts"
export {
  type AnswerForm,
  apiKey,
  asFile,
  asItems,
  asText,
  type BodyEncoding,
  basic,
  bearer,
  type CallSpec,
  cursor,
  type FormFields,
  form,
  type ItemsOptions,
  type MultipartFields,
  multipart,
  nextLink,
  type OutboundAuth,
  offset,
  type PagesSpec,
  type Paging,
  pageNumber,
  type Rest,
  type RestOptions,
  raw,
  rest,
} from "./connectors/rest/index.ts"
export type { ManySpec, OneSpec, RunSpec, Sql, StatementSpec } from "./connectors/sql/index.ts"
export type { MigrationSource } from "./connectors/sql/migrations.ts"
export { type SqliteOptions, sqlite } from "./connectors/sqlite/index.ts"
export type { Backend } from "./contract/backend.ts"
export type { CallOptions, Ctx, Meta, Repaired, ToldMeta } from "./contract/call.ts"
export type { Callers, Failure, Fn, NotExposed, Remote, Success } from "./contract/caller.ts"
export type { DeadlineField } from "./contract/deadline-field.ts"
export { type FileOptions, type FileSchema, file } from "./contract/file.ts"
export type { FileBody, FileContent, FileSource } from "./contract/file-body.ts"
export type { Finding } from "./contract/finding.ts"
export type { JobEvent, JobKind, JobProgress, JobReport, JobState } from "./contract/job.ts"
export type { Revocation } from "./contract/keeping.ts"
export type { Drift } from "./contract/mapping.ts"
export { type Contract, type Declared, type Op, op, type Route, type Run, type Server } from "./contract/op.ts"
export type { State } from "./contract/operation.ts"
export type { Pages, PagesOptions } from "./contract/pages.ts"
export type { BreakerState, Defaults, Policy } from "./contract/policy.ts"
export {
  type Access,
  type Authenticate,
  type Authenticator,
  type AuthenticatorHost,
  anyone,
  can,
  type Principal,
  type RequestHead,
  type ResolvePrincipal,
  type Rule,
  role,
  signedIn,
} from "./contract/principal.ts"
export { env, type Ref, secret } from "./contract/reference.ts"
export { type In, nothing, type Out, type Std } from "./contract/schema.ts"
export type { HasService, Repeat, ServiceStatus } from "./contract/service.ts"
export { type SqlName, type SqlText, type SqlValue, sql } from "./contract/sql.ts"
export type { ConstraintCodes, Migration, SqlConstraint } from "./contract/sql-session.ts"
export type { Table, TableOptions } from "./contract/sql-table.ts"
export type { HasTransactions, Tx, TxCtx } from "./contract/sql-transaction.ts"
export { type StreamSchema, stream } from "./contract/stream.ts"
export { type Topic, type TopicOptions, topic } from "./contract/topic.ts"
// errors
export type { Common } from "./errors/catalog.ts"
export type { Problem } from "./errors/problem.ts"
export type { Outcome, Reason } from "./errors/reasons.ts"
export { type Issue, TrestleError } from "./errors/trestle-error.ts"
export type { OperationStatus } from "./runtime/status.ts"
// who calls
export { type ApiKeyOptions, apiKeys } from "./security/api-keys.ts"
export { type AuthenticatorOptions, authenticator } from "./security/authenticator.ts"
export { fromHost } from "./security/from-host.ts"
export { type CreatedKey, type KeyRecord, type KeyStore, type KeyStoreOptions, type NewKey, openKeyStore } from "./security/key-store.ts"
// in a server of yours
export type { HostFastify, PluginOptions } from "./server/fastify-plugin.ts"
export type { FetchHost } from "./server/fetch.ts"
export type { HandlerOptions, NodeHandler } from "./server/node-handler.ts"
export { serverSettings } from "./server/server-settings.ts"
export type { WorkReport } from "./server/work.ts"
export type { HostLogger } from "./telemetry/host-log.ts"
