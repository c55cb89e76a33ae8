/** What waits, and what has come to a stop: the jobs of a store, and the messages on their way to it. */
export interface KeptWork {
  readonly jobs: readonly JobFigures[]
  readonly outboxes: readonly OutboxFigures[]
}

/** Numbers of jobs of one operation, by their states. */
export interface JobFigures {
  /** Its path. */
  readonly operation: string
  /** The application has an operation of that path. Where it has none, somebody else's node runs them, or nobody. */
  readonly isKnown: boolean
  readonly waiting: number
  readonly running: number
  readonly parked: number
  readonly dead: number
  /** How long the one that is longest due has been due, in milliseconds; 0: none is. */
  readonly overdueMs: number
}

/** Messages that wait in the outbox of one service. */
export interface OutboxFigures {
  readonly service: string
  readonly messages: number
  /** Age of the oldest, in milliseconds; 0 without one. */
  readonly oldestMs: number
}
