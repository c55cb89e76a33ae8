/** Where the work of that id is told of. */
export function workAddress(prefix: string, id: string): string {
  return `${prefix}/work/${id}`
}
