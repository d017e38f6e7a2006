/** Every object has these already; libraries leave them out of tables that people fill in, without a word. */
export const reservedNames: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
]);
