/** A mistake of a test, or a promise of a contract that did not hold; never an error of the application under test. */
export class TestFailure extends Error {
  override readonly name = "TestFailure"
}
