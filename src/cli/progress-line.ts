/** One line on a terminal, written over and over while something takes its time; nothing anywhere else, and nothing in CI. */
export function progressLine(what: string): { show(done: number, of: number): void; clear(): void } {
  const { stderr } = process
  if (stderr.isTTY !== true || process.env.CI) return { show: () => {}, clear: () => {} }
  return {
    show: (done, of) => void stderr.write(`\r\u001b[2K${done} of ${of} ${what}`),
    clear: () => void stderr.write("\r\u001b[2K"),
  }
}
