import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { isApplianceName } from "#domain/volume-id.ts";
import type { Config } from "./config.ts";
import type { ConfigFlags } from "./flag-layer.ts";
import { loadConfig } from "./load.ts";
import { controllerConfig, nodeConfig } from "./roles.ts";

const hostKey = `SHA256:${"a".repeat(43)}`;

const appliance = `
  rds1:
    address: 192.0.2.7
    user: csi
    privateKeyFile: /etc/rds-csi/ssh/id_ed25519
    hostKey: ${hostKey}
    pool: storage-pool
`;
const complete = `clusterId: prod\nappliances:${appliance}`;

interface Given {
  readonly yaml?: string;
  readonly flags?: ConfigFlags;
  readonly environment?: Readonly<Record<string, string>>;
}

async function load(t: TestContext, { yaml = "", flags, environment = {} }: Given) {
  const folder = mkdtempSync(join(tmpdir(), "rds-csi-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "config.yaml");
  writeFileSync(file, yaml);
  const config = await loadConfig({ config: file, ...flags }, environment).catch((error: Error) => {
    error.message = error.message.replaceAll(file, "config.yaml");
    throw error;
  });
  return config;
}

const problems = async (t: TestContext, given: Given): Promise<string> => {
  const error = await load(t, given).then(
    () => new Error("accepted"),
    (cause: Error) => cause,
  );
  return error.message.replace(/^Cannot use the configuration:\n {2}/, "");
};

test("loadConfig() fills in every default", async (t) => {
  const config = await load(t, { yaml: complete });
  assert.deepEqual(config, {
    driverName: "rds.csi.srvlab.io",
    endpoint: "unix:///csi/csi.sock",
    clusterId: "prod",
    logLevel: "info",
    shutdownTimeout: 20_000,
    defaultAppliance: "rds1",
    appliances: new Map([
      [
        "rds1",
        {
          address: "192.0.2.7",
          port: 22,
          user: "csi",
          privateKeyFile: "/etc/rds-csi/ssh/id_ed25519",
          hostKey,
          pool: "storage-pool",
          baseDirectory: "csi",
          data: { addresses: ["192.0.2.7"], port: 4420 },
          limits: { reserve: 0.1, emergency: 0.02, overprovision: 1 },
          timeouts: { connect: 10_000, command: 30_000 },
          channels: 1,
          queue: 1_000,
        },
      ],
    ]),
    nodes: [],
    kubernetes: undefined,
    fencing: { settleTime: 5_000 },
    node: {
      kubeletDirectory: "/var/lib/kubelet",
      stateDirectory: "/var/lib/kubelet/plugins/rds.csi.srvlab.io",
      maxVolumes: 128,
      deviceTimeout: 30_000,
      initiator: { type: "linux-nvme" },
    },
  } satisfies Config);
});

test("loadConfig() lets flags count more than the environment, and that more than the file", async (t) => {
  const yaml = `${complete}nodeId: file\nlogLevel: error\nendpoint: /file.sock\n`;
  const environment = { RDS_CSI_NODE_ID: "environment", RDS_CSI_LOG_LEVEL: "warn" };
  const flags = { set: ["nodeId=set"], "log-level": "debug" };
  const file = await load(t, { yaml });
  assert.deepEqual([file.nodeId, file.logLevel, file.endpoint], ["file", "error", "/file.sock"]);
  const variables = await load(t, { yaml, environment });
  assert.deepEqual([variables.nodeId, variables.logLevel], ["environment", "warn"]);
  const all = await load(t, { yaml, environment, flags });
  assert.deepEqual([all.nodeId, all.logLevel, all.endpoint], ["set", "debug", "/file.sock"]);
});

test("loadConfig() reaches every depth from the environment and from flags", async (t) => {
  const config = await load(t, {
    yaml: complete.replace("rds1", "rds-1"),
    environment: {
      RDS_CSI_APPLIANCES__RDS_1__PORT: "2222",
      RDS_CSI_APPLIANCES__RDS_1__DATA__ADDRESSES: "198.51.100.1, 198.51.100.2",
      RDS_CSI_FENCING__SETTLE_TIME: "1m30s",
    },
    flags: { set: ["appliances.rds-1.limits.reserve=12.5%", "nodes=a,b"] },
  });
  const rds1 = config.appliances.get("rds-1");
  assert.equal(rds1?.port, 2222);
  assert.deepEqual(rds1?.data.addresses, ["198.51.100.1", "198.51.100.2"]);
  assert.deepEqual(rds1?.limits, { reserve: 0.125, emergency: 0.025, overprovision: 1 });
  assert.equal(config.fencing.settleTime, 90_000);
  assert.deepEqual(config.nodes, ["a", "b"]);
});

test("loadConfig() takes JSON, and a key without a value as not given", async (t) => {
  const json = { clusterId: "prod", nodes: ["a"], kubernetes: "off" };
  assert.equal((await load(t, { yaml: JSON.stringify(json) })).clusterId, "prod");
  const config = await load(t, { yaml: "node:\nclusterId:\n# nothing else\n" });
  assert.equal(config.clusterId, undefined);
  assert.equal(config.node.maxVolumes, 128);
  assert.equal((await load(t, { yaml: "" })).driverName, "rds.csi.srvlab.io");
});

test("loadConfig() finds the Kubernetes API of its own cluster unless told not to", async (t) => {
  const environment = {
    KUBERNETES_SERVICE_HOST: "10.96.0.1",
    KUBERNETES_SERVICE_PORT_HTTPS: "6443",
  };
  assert.deepEqual((await load(t, { environment })).kubernetes, { host: "10.96.0.1", port: 6443 });
  const off = await load(t, { environment, yaml: "kubernetes: off" });
  assert.equal(off.kubernetes, undefined);
  assert.equal((await load(t, {})).kubernetes, undefined);
});

test("loadConfig() is not disturbed by the variables Kubernetes makes of Services", async (t) => {
  const environment = {
    RDS_CSI_METRICS_SERVICE_HOST: "10.0.0.9",
    RDS_CSI_METRICS_SERVICE_PORT: "8080",
    RDS_CSI_METRICS_SERVICE_PORT_METRICS: "8080",
    RDS_CSI_METRICS_PORT: "tcp://10.0.0.9:8080",
    RDS_CSI_METRICS_PORT_8080_TCP: "tcp://10.0.0.9:8080",
    RDS_CSI_METRICS_PORT_8080_TCP_ADDR: "10.0.0.9",
    RDS_CSI_METRICS_PORT_8080_TCP_PORT: "8080",
    RDS_CSI_METRICS_PORT_8080_TCP_PROTO: "tcp",
    RDS_CSI_PORT: "tcp://10.0.0.9:8080",
  };
  await load(t, { environment });
});

/** Every refusal an operator may meet: what was written, and what is answered. */
const refusals: readonly [string, Given, string][] = [
  [
    "an unknown key",
    { yaml: `${complete}loglevel: debug\n` },
    "loglevel: unknown key, expected one of driverName, endpoint, nodeId, clusterId, logLevel, shutdownTimeout, defaultAppliance, appliances, nodes, kubernetes, fencing, node (config.yaml, line 9)",
  ],
  [
    "an unknown key in depth",
    { yaml: `${complete}    adress: x\n` },
    "appliances.rds1.adress: unknown key, expected one of address, port, user, privateKeyFile, hostKey, pool, baseDirectory, data, limits, timeouts, channels, queue (config.yaml, line 9)",
  ],
  [
    "an unknown key of the environment",
    { environment: { RDS_CSI_FENCING__SETTLE: "1s" } },
    "fencing.SETTLE: unknown key, expected one of settleTime (environment variable RDS_CSI_FENCING__SETTLE)",
  ],
  [
    "a missing key",
    { yaml: complete.replace(/ {4}hostKey.*\n/, "") },
    'appliances.rds1.hostKey: missing, expected "SHA256:" and 43 characters of base64',
  ],
  [
    "any host key",
    { yaml: complete.replace(hostKey, "any") },
    'appliances.rds1.hostKey: expected "SHA256:" and 43 characters of base64, got "any" (config.yaml, line 7)',
  ],
  [
    "an appliance name that no volume id can carry",
    { yaml: complete.replace("rds1", "RDS_1") },
    'appliances.RDS_1: expected an appliance name of at most 32 of a-z, 0-9 and -, got "RDS_1" (config.yaml, line 4)',
  ],
  [
    "a port as a word",
    { flags: { set: ["appliances.rds1.port=ssh"] }, yaml: complete },
    'appliances.rds1.port: expected a whole number from 1 to 65535, got "ssh" (--set)',
  ],
  [
    "a time without unit",
    { yaml: "fencing:\n  settleTime: 5\n" },
    "fencing.settleTime: expected a time from 0s to 10m, got 5 (config.yaml, line 2)",
  ],
  [
    "a share without sign",
    { yaml: complete.replace("pool:", "limits: { reserve: 10 }\n    pool:") },
    "appliances.rds1.limits.reserve: expected a share from 0% to 90%, got 10 (config.yaml, line 8)",
  ],
  [
    "promising less than there is",
    { yaml: complete.replace("pool:", "limits: { overprovision: 0.5 }\n    pool:") },
    "appliances.rds1.limits.overprovision: expected a number from 1 to 100, got 0.5 (config.yaml, line 8)",
  ],
  [
    "an emergency that would end after volumes can be made again",
    { yaml: complete.replace("pool:", "limits: { emergency: 5.3% }\n    pool:") },
    "appliances.rds1.limits.emergency: expected at most half of limits.reserve (10%), got 5.3%: exports come back when twice as much is free, and no volume may be made before that",
  ],
  [
    "a value where keys belong",
    { flags: { set: ["fencing=off"] } },
    'fencing: expected keys and values, got "off" (--set)',
  ],
  [
    "keys where a value belongs",
    { yaml: "logLevel:\n  level: debug\n" },
    'logLevel: expected "debug" or "info" or "warn" or "error", got {"level":"debug"} (config.yaml, line 2)',
  ],
  [
    "a private key instead of its path",
    { yaml: complete.replace("/etc/rds-csi/ssh/id_ed25519", '"-----BEGIN\\nhunter2\\n"') },
    "appliances.rds1.privateKeyFile: expected an absolute path, got several lines of text (config.yaml, line 6)",
  ],
  [
    "a cluster id that no comment can carry",
    { yaml: "clusterId: Prod Cluster\n" },
    'clusterId: expected 1 to 32 of a-z, 0-9 and -, got "Prod Cluster" (config.yaml, line 1)',
  ],
  [
    "a number for a name",
    { yaml: "nodeId: 12\n" },
    "nodeId: expected 1 to 192 of A-Z, a-z, 0-9, ., _ and -, got 12 (config.yaml, line 1)",
  ],
  [
    "a bad element of a list",
    { yaml: "nodes: [a, '']\n" },
    'nodes: expected a list, each of them 1 to 192 of A-Z, a-z, 0-9, ., _ and -, got ["a",""] (config.yaml, line 1)',
  ],
  [
    "a default that does not exist",
    { yaml: `${complete}defaultAppliance: rds2\n` },
    'defaultAppliance: "rds2" is not among the appliances ("rds1")',
  ],
  [
    "several appliances and no default",
    { yaml: `${complete}${appliance.replace("rds1", "rds2").slice(1)}` },
    'defaultAppliance: missing, expected one of "rds1", "rds2"',
  ],
  [
    "a cluster id that is also the base directory",
    { yaml: complete.replace("clusterId: prod", "clusterId: csi") },
    'appliances.rds1.baseDirectory: "csi" is also the clusterId, and RouterOS wants names of Btrfs subvolumes to differ',
  ],
  [
    "the loop initiator without exports",
    { flags: { set: ["node.initiator.type=loop"] } },
    'node.initiator.exportsDirectory: missing, initiator "loop" needs it',
  ],
  [
    "a flag that sets nothing",
    { flags: { set: ["logLevel"] } },
    "--set logLevel: expected path=value, such as logLevel=debug",
  ],
  ["a file that is a list", { yaml: "- a\n" }, "config.yaml: expected keys and values"],
  [
    "a file that is not YAML",
    { yaml: "a: [\n" },
    "config.yaml: Flow sequence in block collection must be sufficiently indented and end with a ] at line 2, column 1",
  ],
  [
    "an alias, which could be endless",
    { yaml: "fencing: &x\n  settleTime: *x\n" },
    "fencing.settleTime: expected a value, got an alias (config.yaml, line 2)",
  ],
  [
    "the same key twice",
    { yaml: "nodeId: a\nnodeId: b\n" },
    "config.yaml: Map keys must be unique at line 2, column 1",
  ],
  [
    "a prototype",
    { flags: { set: ["__proto__.polluted=1"] } },
    "__proto__: unknown key, expected one of driverName, endpoint, nodeId, clusterId, logLevel, shutdownTimeout, defaultAppliance, appliances, nodes, kubernetes, fencing, node (--set)",
  ],
];

for (const [what, given, message] of refusals)
  test(`loadConfig() refuses ${what}`, async (t) => {
    assert.equal(await problems(t, given), message);
  });

test("loadConfig() lists all problems at once", async (t) => {
  const text = await problems(t, { yaml: "clusterId: X Y\nlogLevel: loud\n" });
  assert.equal(text.split("\n").length, 2);
});

test("loadConfig() says which file it cannot read", async () => {
  await assert.rejects(loadConfig({ config: "/nonexistent/rds.yaml" }, {}), {
    name: "ConfigError",
    message:
      "Cannot use the configuration:\n  /nonexistent/rds.yaml: cannot be read (no such file)",
  });
  await assert.rejects(loadConfig({}, { RDS_CSI_CONFIG: "/" }), /\/: cannot be read \(EISDIR\)$/);
});

test("loadConfig() returns what nobody can change", async (t) => {
  const config = await load(t, { yaml: complete });
  assert.throws(() => Object.assign(config, { clusterId: "other" }), TypeError);
  assert.throws(() => Object.assign(config.fencing, { settleTime: 0 }), TypeError);
  assert.throws(() => Object.assign(config.appliances.get("rds1") ?? {}, { port: 1 }), TypeError);
});

test("loadConfig() accepts the appliance names that the domain accepts, and no others", async () => {
  const given = { address: "a", user: "u", privateKeyFile: "/k", hostKey, pool: "p" };
  const settings = (name: string) =>
    Object.entries(given).map(([key, value]) => `appliances.${name}.${key}=${value}`);
  const names = fc.stringMatching(/^[a-zA-Z0-9_-]{1,34}$/);
  await fc.assert(
    fc.asyncProperty(names, async (name) => {
      const loaded = loadConfig({ set: settings(name) }, {});
      const accepted = await loaded.then(
        () => true,
        () => false,
      );
      assert.equal(accepted, isApplianceName(name));
    }),
  );
});

test("loadConfig() refuses names that it would leave out without a word", async () => {
  for (const name of ["__proto__", "constructor", "prototype"]) {
    assert.equal(isApplianceName(name), false);
    await assert.rejects(loadConfig({ set: [`appliances.${name}.pool=p`] }, {}), {
      message: `Cannot use the configuration:\n  appliances.${name}.pool: a reserved name (--set)`,
    });
  }
});

test("controllerConfig() and nodeConfig() say what is missing for their part", async (t) => {
  const empty = await load(t, {});
  assert.throws(() => controllerConfig(empty), {
    message:
      "Cannot use the configuration:\n  clusterId: missing, the controller needs it\n  appliances: missing, the controller needs one",
  });
  assert.throws(() => nodeConfig(empty), /nodeId: missing, the node needs it/);
  assert.equal(controllerConfig(await load(t, { yaml: complete })).defaultAppliance, "rds1");
  assert.equal(nodeConfig(await load(t, { flags: { "node-id": "worker-1" } })).nodeId, "worker-1");
});
