// The door `trestle/testing`. Works with every test runner: it imports none and knows no globals.

export type { Settled, Settlement, Undecided } from "../durable/settling.ts"
export { type ConnectorPromise, connectorPromises } from "./connector-promises.ts"
export type { ConnectorSample, ConnectorSubject } from "./connector-subject.ts"
export { type ContractCase, type ContractCasesOptions, contractCases } from "./contract-cases.ts"
export { FakeClock } from "./fake-clock.ts"
export { type FaultCase, type FaultCasesOptions, faultCases } from "./fault-cases.ts"
export type { ServerPlace } from "./fault-proxy.ts"
export { type MappingCase, type MappingRow, mappingCases } from "./mapping-cases.ts"
export type { FailsHow } from "./replaced.ts"
export { NoSample, type SampleOptions, sampleFromSchema } from "./sample-from-schema.ts"
export {
  type Outbox,
  type TestApp,
  type TestAppOptions,
  type TestBackend,
  type TestRequestInit,
  type TestRoute,
  type TestWire,
  testApp,
} from "./test-app.ts"
export { TestFailure } from "./test-failure.ts"
export type { SentRequest } from "./wire.ts"
export type { ProgrammedReply, ReplyOptions } from "./wire-answer.ts"
