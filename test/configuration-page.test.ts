import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "#config/load.ts";
import { controllerConfig } from "#config/roles.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { withReference } from "../scripts/config-reference.ts";

const page = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");

test("docs/configuration.md lists every setting as the schema has it", () => {
  assert.equal(page, withReference(page), "run node scripts/config-reference.ts");
  assert.match(page, /^\| `appliances\.<name>\.limits\.reserve` \| .* \| `10%` \|/m);
});

test("docs/configuration.md shows an example that works, and a refusal that is real", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "config.yaml");
  const [, example = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  writeFileSync(file, example);
  const config = controllerConfig(await loadConfig({ config: file }, {}));
  assert.equal(config.defaultAppliance, "rds1");
  const broken = `${example.replace(/SHA256:.*/, "any")}logLevel: warn\nfencing:\n  settle: 1s\n`;
  writeFileSync(file, broken);
  const error = await loadConfig({ config: file }, {}).catch((cause: Error) => cause);
  assert.ok(error instanceof Error);
  const told = error.message.replaceAll(file, "/etc/rds-csi/config.yaml");
  assert.ok(page.includes(told), told);
});
