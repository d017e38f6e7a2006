import { join, relative } from "node:path";
import { type BuildOptions, build } from "esbuild";

const here = import.meta.dirname;

/** Where the machine finds its programs, from the project's folder. */
export const programs = "dist/machine";

/**
<<<<<<< HEAD
 * Makes JavaScript of the scenarios, the reporter and the writer: Node.js would take their types away itself, with WebAssembly, which
 * costs seconds in an emulated machine. Each lies in `programs` under the name of its source, `.mjs`.
=======
 * Makes JavaScript of the scenarios, the reporter, the writers and what is loaded into the driver. Node.js would take their types away with WebAssembly,
 * which costs seconds in an emulated machine and breaks there: V8 replaces WebAssembly code that another
 * processor is running, and QEMU's multi-threaded emulation loses that race (12 of 30 starts died; none of 30 compiled).
 * @returns the folder of the programs, from the project's folder; each is called as its source is, `.mjs`.
>>>>>>> 72b99b7 (Stage many volumes at once, put them through one outage, and stage them again and again with checksums)
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
