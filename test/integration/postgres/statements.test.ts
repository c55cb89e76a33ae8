import { describe } from "vitest"
import { describeStatements } from "../sql/statements.ts"
import { describeTransactions } from "../sql/transactions.ts"
import { server, worldOf } from "./kit.ts"

describe.skipIf(server === null)("postgres", () => {
  describeStatements({ worldOf, unique: "PostgreSQL 23505" })
  describeTransactions({ worldOf, unique: "PostgreSQL 23505" })
})
