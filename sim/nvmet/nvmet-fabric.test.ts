import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { StateFile } from "#sim/appliance/state-file.ts";
import type { SwitchValues } from "#sim/appliance/switch-table.ts";
import { Switches } from "#sim/appliance/switches.ts";
import { temporaryDirectory } from "#sim/appliance/testing/temporary-directory.ts";
import { testAppliance } from "#sim/appliance/testing/test-appliance.ts";
import type { LoopDevices } from "./loop-device.ts";
import { nvmetBackEnd } from "./nvmet-back-end.ts";
import { ImitatedGroups } from "./testing/imitated-groups.ts";

/** A host's loop devices, as far as a back end sees them. */
class ImitatedLoops implements LoopDevices {
  readonly attached = new Map<string, string>();
  readonly calls: string[] = [];
  #count = 0;
  async attach(image: string, blockBytes: string): Promise<string> {
    const device = `/dev/loop${this.#count++}`;
    this.attached.set(device, image);
    this.calls.push(`${device} with blocks of ${blockBytes}`);
    return device;
  }
  async resize(device: string): Promise<void> {
    this.calls.push(`resize ${device}`);
  }
  async detach(device: string): Promise<void> {
    assert.ok(this.attached.delete(device), `${device} is attached`);
  }
}

/** A host with the kernel's target, on which simulators can be started one after another. */
async function host(t: TestContext) {
  const directory = await temporaryDirectory();
  t.after(() => directory[Symbol.asyncDispose]());
  const configfs = join(directory.path, "nvmet");
  await mkdir(configfs);
  const [groups, loops] = [new ImitatedGroups(configfs), new ImitatedLoops()];
  const start = async (values: Partial<SwitchValues> = {}) => {
    const switches = new Switches(values);
    const data = join(directory.path, "data");
    const options = { data, address: "10.0.0.1", switches, configfs, groups, loops };
    const backEnd = await nvmetBackEnd(options);
    const simulated = await testAppliance({
      backEnd,
      switches: values,
      stateFile: new StateFile(directory.path),
    });
    return { ...simulated, fabric: backEnd.fabric };
  };
  const read = (...names: string[]) => readFileSync(join(configfs, ...names), "utf8");
  const list = (...names: string[]) => readdirSync(join(configfs, ...names));
  return { start, read, list, loops, configfs, groups, data: join(directory.path, "data") };
}

const add =
  "/disk/add type=file slot=a file-path=/pool/a.img file-size=1M nvme-tcp-server-nqn=nqn.x:a";
const exported = `${add} nvme-tcp-export=yes`;

test("publish() makes a subsystem with one namespace on the disk's own port", async (t) => {
  const { start, read, list, data } = await host(t);
  const { print } = await start();
  await print(`${exported} nvme-tcp-server-port=4421`);
  assert.deepEqual(list("subsystems"), ["nqn.x:a"]);
  assert.equal(read("subsystems/nqn.x:a/attr_allow_any_host"), "1");
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/device_path"), join(data, "pool/a.img"));
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/enable"), "1");
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/device_uuid"), "\n", "left to the kernel");
  assert.equal(read("ports/4421/addr_traddr"), "10.0.0.1");
  assert.equal(read("ports/4421/addr_trsvcid"), "4421");
  assert.deepEqual(list("ports/4421/subsystems"), ["nqn.x:a"]);
});

test("withdraw() and close() leave nothing of ours and everything of others", async (t) => {
  const { start, list, configfs, groups } = await host(t);
  groups.make(join(configfs, "subsystems/nqn.other"));
  groups.make(join(configfs, "ports/1"));
  const { print, fabric } = await start();
  await print(exported);
  await print("/disk/set a nvme-tcp-export=no");
  assert.deepEqual(list("subsystems"), ["nqn.other"]);
  await print("/disk/set a nvme-tcp-export=yes");
  await fabric.close();
  assert.deepEqual([list("subsystems"), list("ports")], [["nqn.other"], ["1"]]);
});

test("an allowed host is the only one that may connect", async (t) => {
  const { start, read, list } = await host(t);
  const { print } = await start();
  await print(`${exported} nvme-tcp-server-allow-host-name=nqn.host:1`);
  assert.equal(read("subsystems/nqn.x:a/attr_allow_any_host"), "0");
  assert.deepEqual(list("subsystems/nqn.x:a/allowed_hosts"), ["nqn.host:1"]);
  await print('/disk/set a nvme-tcp-server-allow-host-name=""');
  assert.deepEqual(list("subsystems/nqn.x:a/allowed_hosts"), []);
  assert.equal(read("subsystems/nqn.x:a/attr_allow_any_host"), "1");
});

test("a simulator takes over what a killed one left, and exports what its state says", async (t) => {
  const { start, list, configfs } = await host(t);
  const first = await start({ "resize-visibility": "re-export" });
  await first.print(exported);
  await first.appliance.save();
  writeFileSync(join(configfs, "subsystems/nqn.x:a/mark"), "of the first");
  const { print, fabric } = await start();
  assert.deepEqual(list("ports/4420/subsystems"), ["nqn.x:a"]);
  assert.ok(!existsSync(join(configfs, "subsystems/nqn.x:a/mark")), "it was made anew");
  await print("/disk/remove a");
  await fabric.close();
  assert.deepEqual([...list("subsystems"), ...list("ports")], []);
});

test("a loop device lies below an export where a file could not do it", async (t) => {
  const { start, read, loops, data } = await host(t);
  const { print, fabric } = await start({ "block-size": "512" });
  await print(exported);
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/device_path"), "/dev/loop0");
  assert.equal(loops.attached.get("/dev/loop0"), join(data, "pool/a.img"));
  await print("/disk/set a file-size=2M");
  assert.deepEqual(loops.calls, ["/dev/loop0 with blocks of 512", "resize /dev/loop0"]);
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/revalidate_size"), "1");
  await fabric.close();
  assert.equal(loops.attached.size, 0);
});

for (const [visibility, told] of [
  ["live", "1"],
  ["rescan", "\n"],
  ["re-export", "\n"],
] as const)
  test(`resized() tells hosts when sizes show ${visibility}: ${told === "1"}`, async (t) => {
    const { start, read } = await host(t);
    const { print } = await start({ "resize-visibility": visibility });
    await print(exported);
    await print("/disk/set a file-size=2M");
    assert.equal(read("subsystems/nqn.x:a/namespaces/1/revalidate_size"), told);
  });

test("powerOff() breaks all exports, powerOn() brings them back as they were set", async (t) => {
  const { start, list, read } = await host(t);
  const { print, appliance } = await start({ "namespace-identity": "stable" });
  await print(exported);
  const uuid = () => read("subsystems/nqn.x:a/namespaces/1/device_uuid");
  const before = uuid();
  assert.match(before, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  await appliance.powerOff();
  assert.deepEqual(list("subsystems"), []);
  await appliance.powerOn();
  assert.equal(uuid(), before);
});

test("connected-unexport=keep closes the door and leaves who is inside", async (t) => {
  const { start, read, list } = await host(t);
  const { print } = await start({ "connected-unexport": "keep" });
  await print(exported);
  await print("/disk/set a nvme-tcp-export=no");
  assert.equal(read("subsystems/nqn.x:a/attr_allow_any_host"), "0");
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/enable"), "1");
  assert.deepEqual(list("ports/4420/subsystems"), ["nqn.x:a"]);
});

test("setEnabled(), interrupt() and resume() reach one export, and name one that is not there", async (t) => {
  const { start, read, list } = await host(t);
  const { print, fabric } = await start();
  await print(exported);
  fabric.setEnabled("nqn.x:a", false);
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/enable"), "0");
  fabric.interrupt("nqn.x:a");
  assert.deepEqual(list("ports/4420/subsystems"), []);
  fabric.resume("nqn.x:a");
  assert.deepEqual(list("ports/4420/subsystems"), ["nqn.x:a"]);
  assert.equal(read("subsystems/nqn.x:a/namespaces/1/enable"), "1");
  assert.throws(() => fabric.interrupt("nqn.x:b"), { message: /"nqn.x:b": it is not exported$/ });
});

test("publish() that the kernel refuses fails the command and leaves nothing", async (t) => {
  const { start, list, configfs, groups } = await host(t);
  groups.make(join(configfs, "ports/4420"));
  writeFileSync(join(configfs, "ports/4420/addr_traddr"), "192.0.2.9\n");
  const { run } = await start();
  const { error } = await run(exported);
  assert.match(
    error ?? "",
    /^failure: cannot export "nqn\.x:a" on 10\.0\.0\.1 port 4420: Cannot listen on 10\.0\.0\.1: ".*4420" is there for 192\.0\.2\.9$/,
  );
  assert.deepEqual(list("subsystems"), []);
});

test("nvmetBackEnd() says what the host lacks", async () => {
  await using directory = await temporaryDirectory();
  const start = (configfs: string) =>
    nvmetBackEnd({ data: directory.path, address: "::1", switches: new Switches(), configfs });
  await assert.rejects(start(join(directory.path, "no/nvmet")), {
    message: /^Cannot use back end "nvmet": ".*\/no" is missing; run "modprobe configfs" and/,
  });
  await assert.rejects(start(join(directory.path, "nvmet")), {
    message: /^Cannot use back end "nvmet": ".*\/nvmet" is missing; run "modprobe nvmet-tcp"/,
  });
});
