// @ts-check
import { byId, copyOf, show, within } from "./dom.js"
import { showDegraded } from "./notice.js"
import { api } from "./recruiter-key.js"

/** @import { Failure } from "trestle/client" */
/** @import { Api } from "./api.js" */
/** @typedef {Awaited<ReturnType<Api["candidates"]["show"]>>} Candidate */
/** @typedef {Awaited<ReturnType<Api["answers"]["tally"]>>[number]} Tally */

const PAGE_SIZE = 50

/**
 * One page of all candidates, and how far each has come.
 * @param {{ page: number, isWanted: () => boolean, refused: (failure: Failure<string>) => unknown }} request
 */
export async function showList({ page, isWanted, refused }) {
  const result = await api().candidates.list.safe({ page })
  if (!isWanted()) return
  if (!result.ok) {
    fill([], { page, total: 0, lead: "The list cannot be shown just now." })
    return refused(result)
  }
  const { candidates, total } = result.value
  const tallies = await api().answers.tally.safe({ candidateIds: candidates.map(({ id }) => id) })
  if (!isWanted()) return
  const rows = candidates.map((candidate) => row(candidate, tallies.ok ? stateOf(candidate, tallies.value) : ""))
  fill(rows, { page, total, lead: total === 0 ? "Nobody has signed up yet." : total === 1 ? "One person." : `${total} people.` })
  showDegraded(result.meta)
}

/**
 * @param {HTMLElement[]} rows
 * @param {{ page: number, total: number, lead: string }} about
 */
function fill(rows, { page, total, lead }) {
  const first = (page - 1) * PAGE_SIZE + 1
  const last = first + rows.length - 1
  byId("people", HTMLElement).replaceChildren(...rows)
  byId("people", HTMLElement).hidden = rows.length === 0
  byId("total", HTMLElement).textContent = lead
  byId("range", HTMLElement).textContent = first < last ? `${first} to ${last} of ${total}` : `${last} of ${total}`
  byId("earlier", HTMLButtonElement).disabled = page === 1
  byId("later", HTMLButtonElement).disabled = page * PAGE_SIZE >= total
  byId("paging", HTMLElement).hidden = total <= PAGE_SIZE
  show("list")
}

/**
 * @param {Candidate} candidate
 * @param {readonly Tally[]} tallies
 */
function stateOf({ id }, tallies) {
  const tally = tallies.find(({ candidateId }) => candidateId === id)
  return tally ? `${tally.answered} answered, ${tally.scored} scored` : "nothing answered"
}

/**
 * @param {Candidate} candidate
 * @param {string} state
 */
function row({ id, name, email, level }, state) {
  const item = copyOf("person-template")
  within(item, "a").setAttribute("href", `#${id}`)
  within(item, "b").textContent = name
  within(item, "small").textContent = `${email} · ${level}`
  within(item, ".state").textContent = state
  return item
}
