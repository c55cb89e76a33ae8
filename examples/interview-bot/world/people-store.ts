import { mkdir, open, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import { queueOfTurns } from "./in-turn.ts"

export type PersonFields = { full_nm: string; e_mail: string; lvl_cd: string; active_yn: string; reg_dt: string; remark?: string }
export type Person = { person_no: string } & PersonFields

export type PeopleStore = {
  /** Resolves once the record is on disk; undefined when the e-mail is already there. */
  add: (fields: PersonFields) => Promise<Person | undefined>
  find: (personNo: string) => Person | undefined
  all: () => Person[]
  /** Resolves when every write asked for so far has ended. */
  settle: () => Promise<void>
}

const firstNumber = 1001

export async function openPeopleStore(folder: string): Promise<PeopleStore> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, "people.json")
  let people = await load(file)
  const inTurn = queueOfTurns()

  async function add(fields: PersonFields): Promise<Person | undefined> {
    if (people.some((person) => sameMail(person.e_mail, fields.e_mail))) return undefined
    const added = { person_no: String(firstNumber + people.length), ...fields }
    const next = [...people, added]
    await save(file, next)
    // Shown to readers only now: what one has read must survive a crash.
    people = next
    return added
  }

  return {
    add: (fields) => inTurn(() => add(fields)),
    find: (personNo) => people.find((person) => person.person_no === personNo),
    all: () => structuredClone(people),
    settle: () => inTurn(async () => {}),
  }
}

function sameMail(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

async function load(file: string): Promise<Person[]> {
  try {
    const people: unknown = JSON.parse(await readFile(file, "utf8"))
    if (Array.isArray(people)) return people
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
  }
  throw new Error(`${file} cannot be read as a list of people; move it away to start afresh.`)
}

/** A reader or a crash meets the old file or the new one, never a half of it. */
async function save(file: string, people: Person[]): Promise<void> {
  const temporary = `${file}.tmp`
  const handle = await open(temporary, "w")
  try {
    await handle.writeFile(JSON.stringify(people, null, 2))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}
