import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { switchNames } from "#sim/appliance/switches.ts";
import { temporaryDirectory } from "#sim/appliance/testing/temporary-directory.ts";
import { generateKeyPair } from "#sim/ssh/key-pair.ts";
import { parseSimulatorArguments, resolveOptions, simulatorHelp } from "./options.ts";

test("parseSimulatorArguments() without arguments has one user on a fixed port", () => {
  const options = parseSimulatorArguments([]);
  assert.equal(options.port, 2222);
  assert.deepEqual(options.users, [
    { name: "csi", policies: ["ssh", "read", "write", "test"], publicKeys: [] },
  ]);
  const { pools, version, backEnd } = resolveOptions(options);
  assert.deepEqual(pools, [{ mountPoint: "storage-pool", size: 2 ** 40 }]);
  assert.deepEqual([version, backEnd], ["7.24.1 (stable)", "memory"]);
});

test("parseSimulatorArguments() reads every flag", async () => {
  await using directory = await temporaryDirectory();
  const pair = generateKeyPair("ed25519", "me");
  const [key, host] = [join(directory.path, "key.pub"), join(directory.path, "host")];
  await writeFile(key, `${pair.public}\n`);
  await writeFile(host, pair.private);
  const options = parseSimulatorArguments([
    ...["--host", "0.0.0.0", "--port", "0", "--state", "/state", "--data", "/data"],
    ...[
      "--data-address",
      "10.0.0.1",
      "--back-end",
      "nvmet",
      "--routeros-version",
      "7.22.3 (stable)",
      "--no-storage-package",
    ],
    ...["--identity", "box", "--user", "me", "--policies", "ssh,read"],
    ...["--pool", "fast=4T,fs=xfs,label=quick,raid=6,members=8", "--pool", "slow=500G,raid=none"],
    ...["--authorized-key", key, "--host-key", host],
    ...["--profile", "device", "--switch", "latency=7", "--switch", "exit-status=absent"],
  ]);
  assert.deepEqual(options, {
    host: "0.0.0.0",
    port: 0,
    version: "7.22.3 (stable)",
    identity: "box",
    storagePackage: false,
    pools: [
      { mountPoint: "fast", size: 2 ** 42, type: "xfs", label: "quick", raid: 6, members: 8 },
      { mountPoint: "slow", size: 500 * 2 ** 30, raid: "none" },
    ],
    users: [{ name: "me", policies: ["ssh", "read"], publicKeys: [pair.public] }],
    stateDirectory: "/state",
    backEnd: "nvmet",
    dataAddress: "10.0.0.1",
    dataDirectory: "/data",
    hostKeys: [pair.private],
    switches: {
      latency: 7,
      "add-latency": 400,
      "add-latency-jitter": 2600,
      "exit-status": "absent",
    },
  });
});

test("parseSimulatorArguments() names the flag and the value that it cannot use", () => {
  for (const [argv, message] of [
    [["--port", "99999"], /^Cannot use --port "99999": a port is a number/],
    [["--back-end", "tape"], /^Cannot use --back-end "tape": allowed is memory, files, nvmet$/],
    [["--data-address", "rds"], /^Cannot use --data-address "rds": an address is numbers/],
    [["--routeros-version", "6.49"], /^Cannot use --routeros-version "6.49": .*7\.16 and later$/],
    [["--pool", "a/b=1T"], /^Cannot use --pool "a\/b=1T": a pool is NAME=SIZE/],
    [["--pool", "a=1"], /^Cannot use --pool "a=1": a size is at least 1M/],
    [["--pool", "a=1T,fs=zfs"], /^Cannot use --pool .*: allowed is btrfs, xfs, ext4$/],
    [["--pool", "a=1T,colour=red"], /^Cannot use --pool .*: a pool has no "colour"$/],
    [["--policies", "root"], /^Cannot use --policies "root": allowed is local, telnet/],
    [["--authorized-key", "/nowhere/x"], /^Cannot use --authorized-key "\/nowhere\/x": ENOENT/],
    [["--host-key", "/dev/null"], /^Cannot use --host-key "\/dev\/null": Cannot read host key/],
    [["--switch", "speed=1"], /^Cannot use --switch "speed=1": .*no such switch$/],
    [["--profile", "warp"], /^Cannot use --profile "warp": allowed is device$/],
    [["--nonsense"], /--nonsense/],
  ] as const)
    assert.throws(() => parseSimulatorArguments(argv), { message });
});

test("simulatorHelp() tells of every flag and every switch, in lines that fit", () => {
  const help = simulatorHelp();
  for (const name of switchNames()) assert.ok(help.includes(`\n  ${name} (`), name);
  const flags = [
    "host",
    "port",
    "state",
    "back-end",
    "data",
    "data-address",
    "routeros-version",
    "pool",
    "user",
  ];
  for (const flag of [...flags, "no-storage-package", "switch", "profile", "host-key", "help"])
    assert.ok(help.includes(`--${flag}`), flag);
  const longest = Math.max(...help.split("\n").map(({ length }) => length));
  assert.ok(longest <= 120, `longest line has ${longest} columns`);
});
