// The architecture, executable. `npm run architecture` checks it; test/architecture.test.ts plants
// bad imports and expects red, because a fence that reads no module passes too.

/** What each room may import besides itself: first column imports the others. */
const mayImport = {
  lib: [],
  domain: ["lib"],
  config: ["lib"],
  observability: ["lib"],
  controller: ["domain", "lib"],
  node: ["domain", "lib"],
  csi: ["controller", "node", "domain", "lib"],
  routeros: ["domain", "lib"],
  linux: ["domain", "lib"],
  kubernetes: ["domain", "lib"],
};

const rooms = Object.entries(mayImport).map(([room, allowed]) => ({
  name: `${room}-stays-in-its-layer`,
  comment: `src/${room}/ may import ${allowed.length > 0 ? allowed.join(", ") : "nothing of the project"}: docs/architecture.md, "Who may import whom"`,
  severity: "error",
  from: { path: `^src/${room}/`, pathNot: "[.]test[.]ts$" },
  to: { path: "^(src|sim|test|bench)/", pathNot: `^src/(${[room, ...allowed].join("|")})/` },
}));

/** A package or built-in that only some files may use. */
const fence = (name, path, only, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: "^(src|sim)/", pathNot: `${only}|[.]test[.]ts$` },
  to: { path, dependencyTypesNot: ["type-only"] },
});

// biome-ignore lint/style/noDefaultExport: dependency-cruiser reads it
export default {
  forbidden: [
    {
      name: "no-cycles",
      comment: "A cycle has no first reader and no last one",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-orphans",
      comment: "A file that nothing imports is dead",
      severity: "error",
      from: { orphan: true, path: "^(src|sim)/", pathNot: "[.]test[.]ts$" },
      to: {},
    },
    ...rooms,
    {
      name: "domain-is-pure",
      comment: "Rules are testable anywhere: no npm package, no Node module in src/domain/",
      severity: "error",
      from: { path: "^src/domain/", pathNot: "[.]test[.]ts$" },
      to: { dependencyTypes: ["core", "npm", "npm-dev"] },
    },
    {
      name: "simulator-is-apart",
      comment: "Sharing the driver's quoting or parsing would make both wrong together",
      severity: "error",
      from: { path: "^sim/", pathNot: "[.]test[.]ts$" },
      to: { path: "^(src|test|bench)/" },
    },
    {
      name: "product-imports-no-tests",
      comment: "What ships does not depend on test code",
      severity: "error",
      from: { path: "^(src|sim)/", pathNot: "[.]test[.]ts$" },
      to: { path: "^(test|bench)/|[.]test[.]ts$" },
    },
    {
      name: "main-knows-only-the-command-line",
      comment: "main -> cli -> app -> all",
      severity: "error",
      from: { path: "^src/main[.]ts$" },
      to: { path: "^(src|sim)/", pathNot: "^src/(cli|lib)/" },
    },
    {
      name: "only-app-composes",
      comment: "Commands talk to composition roots, not to adapters",
      severity: "error",
      from: { path: "^src/cli/" },
      to: {
        path: "^(src|sim)/",
        pathNot: "^src/(cli|app|config|domain|lib|observability)/|^sim/(simulator|options)[.]ts$",
      },
    },
    fence(
      "only-exec-spawns",
      "^(node:)?child_process$",
      "^src/linux/exec[.]ts$|^sim/appliance/run-tool[.]ts$|^sim/.*/testing/",
      "One place decides limits, environment and cancellation of processes",
    ),
    fence(
      "only-transport-speaks-ssh",
      "node_modules/(@types/)?ssh2/",
      "^src/routeros/transport/|^sim/ssh/",
      "SSH stays behind the Console",
    ),
    fence(
      "only-csi-speaks-grpc",
      "node_modules/@grpc/",
      "^src/csi/",
      "gRPC codes are decided at the edge",
    ),
    fence(
      "only-config-reads-yaml",
      "node_modules/(yaml|valibot)/",
      "^src/(config|linux|routeros)/",
      "Outside text is validated where it enters",
    ),
    fence(
      "only-logger-knows-pino",
      "node_modules/pino/",
      "^src/observability/",
      "Everybody else gets a Log",
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^src/csi/gen/google/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
