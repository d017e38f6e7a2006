import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";

const project = join(import.meta.dirname, "..");

/** Runs the project's own rules over the tree at `root`. */
function cruise(root: string): { readonly violations: string[]; readonly modules: number } {
  const arguments_ = ["--config", ".dependency-cruiser.mjs", "--output-type", "json", "src", "sim"];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(project, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"), ...arguments_],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  assert.ok(stdout.startsWith("{"), `dependency-cruiser printed no report: ${stderr}`);
  const { summary } = JSON.parse(stdout);
  return {
    violations: summary.violations.map(
      ({ rule, from }: { rule: { name: string }; from: string }) => `${rule.name} ${from}`,
    ),
    modules: summary.totalCruised,
  };
}

/** A tree with the project's rules and these files only. */
function plant(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), "rds-csi-architecture-"));
  for (const name of [".dependency-cruiser.mjs", "package.json", "tsconfig.json"])
    cpSync(join(project, name), join(root, name));
  symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
  for (const [name, text] of Object.entries({ "src/main.ts": "", "sim/main.ts": "", ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

test("the architecture holds, and the rules read the whole tree", () => {
  const { violations, modules } = cruise(project);
  assert.deepEqual(violations, []);
  assert.ok(modules > 100, `only ${modules} modules were read`);
});

/** Each in a file of its own, so that one run over them all tells which rules bite. */
const planted: readonly (readonly [rule: string, file: string, text: string])[] = [
  ["domain-stays-in-its-layer", "src/domain/a.ts", 'import "#csi/target.ts";'],
  ["domain-is-pure", "src/domain/b.ts", 'import "node:fs";'],
  ["domain-is-pure", "src/domain/c.ts", 'import "pino";'],
  ["routeros-stays-in-its-layer", "src/routeros/a.ts", 'import type {} from "#linux/target.ts";'],
  ["controller-stays-in-its-layer", "src/controller/a.ts", 'import "../routeros/target.ts";'],
  ["simulator-is-apart", "sim/a.ts", 'import "#routeros/target.ts";'],
  ["product-imports-no-tests", "src/app/a.ts", 'import "#test/target.ts";'],
  ["main-knows-only-the-command-line", "src/main.ts", 'import "#app/target.ts";'],
  ["only-app-composes", "src/cli/a.ts", 'import "#routeros/target.ts";'],
  ["only-exec-spawns", "src/linux/mounts.ts", 'import "node:child_process";'],
  ["only-transport-speaks-ssh", "src/routeros/console.ts", 'import "ssh2";'],
  ["only-csi-speaks-grpc", "src/controller/b.ts", 'import "@grpc/grpc-js";'],
  ["only-logger-knows-pino", "src/app/b.ts", 'import "pino";'],
  ["no-cycles", "src/app/c.ts", 'import "./d.ts";'],
  ["no-orphans", "src/app/e.ts", ""],
];

test("every rule bites where a bad import is planted", async (t) => {
  const rooms = ["csi", "linux", "routeros", "app"].map((room) => [
    `src/${room}/target.ts`,
    "export {};",
  ]);
  const bad = planted.map(([, file, text]) => [file, text]);
  using tree = plant({
    ...Object.fromEntries([...rooms, ...bad]),
    "test/target.ts": "",
    "src/app/d.ts": 'import "./c.ts";',
  });
  const { violations } = cruise(tree.root);
  for (const [rule, file, text] of planted)
    await t.test(`${rule}: ${file} says ${text || "nothing"}`, () => {
      assert.ok(violations.includes(`${rule} ${file}`), `found ${violations.join(", ")}`);
    });
});
