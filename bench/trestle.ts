/** The one place that knows where Trestle is. By path, not by package name: a link would make npm touch the root's node_modules. */
export * from "../src/index.ts"
export * from "../src/transform/index.ts"
