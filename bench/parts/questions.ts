export const SCHEMA = "create table questions (id text primary key, text text not null, points integer not null) strict"

export function fill(run: (text: string) => void): void {
  run(SCHEMA)
  for (let id = 0; id < 1_000; id++) run(`insert into questions values ('${id}', 'What is a closure?', 7)`)
}
