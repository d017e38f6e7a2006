import { join, relative } from "node:path";
import { type BuildOptions, build } from "esbuild";

const here = import.meta.dirname;

/** Where the machine finds its programs, from the project's folder. */
export const programs = "dist/machine";

/**
 * Makes JavaScript of the scenarios, the reporter, the writers and what is loaded into the driver: Node.js would take their types away
 * itself, with WebAssembly, which costs seconds in an emulated machine. Each lies in `programs` under the name of its source, `.mjs`.
 */
export async function compile(scenarios: readonly string[], project: string): Promise<void> {
  await build({
    ...options,
    absWorkingDir: project,
    entryPoints: [
      ...scenarios,
      ...[
        "rig/record-writer.ts",
        "rig/crowd-writer.ts",
        "rig/flood-writer.ts",
        "rig/relay-box.ts",
        "rig/fault-point.ts",
        "../reporter.ts",
      ].map((file) => relative(project, join(here, file))),
    ],
    entryNames: "[name]",
    outdir: programs,
  });
}

const options: BuildOptions = {
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node24",
  outExtension: { ".js": ".mjs" },
  // What CommonJS packages find around them.
  banner: {
    js: `import { createRequire as requireFor } from "node:module";
const require = requireFor(import.meta.url), __dirname = import.meta.dirname;`,
  },
  external: ["cpu-features", "*/sshcrypto.node", "@grpc/proto-loader"],
  mainFields: ["module", "main"],
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
};
