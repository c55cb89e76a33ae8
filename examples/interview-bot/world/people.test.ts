import { expect, test } from "vitest"
import { freshWorld, get } from "./fixture.ts"

test("people of an older register: found by their number, in its own notation, and in no list", async () => {
  const { urls } = await freshWorld()
  expect((await get(`${urls.people}/v2/people/901`)).body).toMatchObject({
    person_no: "901",
    lvl_cd: 2,
    active_yn: "yes",
    reg_dt: "9.12.1996",
  })
  expect((await get(`${urls.replica}/v2/people/902`)).body).toMatchObject({ reg_dt: "31/02/1997" })
  expect((await get(`${urls.people}/v2/people`)).body).toMatchObject({ rows: [], total_cnt: "0" })
})
