import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { ApiClient } from "./api-client.ts";
import { CsiNodeDirectory } from "./csi-node-directory.ts";

const driverName = "rds.csi.srvlab.io";
const collection = "/apis/storage.k8s.io/v1/csinodes";

/** As kubelet writes it, shortened; the fields are those of Kubernetes 1.31. */
const csiNode = (name: string, nodeID: string) => ({
  kind: "CSINode",
  apiVersion: "storage.k8s.io/v1",
  metadata: { name, uid: "0f0f0f0f-1111-2222-3333-444444444444", resourceVersion: "812" },
  spec: {
    drivers: [
      { name: "ebs.csi.aws.com", nodeID: "i-0123456789", topologyKeys: null },
      { name: driverName, nodeID, topologyKeys: null, allocatable: { count: 128 } },
    ],
  },
});

const status = (code: number, reason: string, message: string) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  code,
});

class Rig {
  /** Keyed by node name. */
  readonly nodes = new Map<string, object>();
  readonly requests: string[] = [];
  /** Tokens the API accepts. */
  readonly tokens = new Set(["first"]);
  forbidden = false;
  silent = false;
  readonly clock = new ManualClock();

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "", "https://api");
    this.requests.push(request.url ?? "");
    if (this.silent) return;
    const [code, body] = this.#reply(request, pathname, searchParams);
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  #reply(request: IncomingMessage, path: string, query: URLSearchParams): [number, object] {
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    if (!this.tokens.has(token)) return [401, status(401, "Unauthorized", "Unauthorized")];
    if (this.forbidden) {
      const message = 'csinodes.storage.k8s.io is forbidden: User "x" cannot list resource';
      return [403, status(403, "Forbidden", message)];
    }
    if (path === collection) return [200, this.#page(query)];
    const name = decodeURIComponent(path.slice(collection.length + 1));
    const node = this.nodes.get(name);
    return node ? [200, node] : [404, status(404, "NotFound", `csinodes "${name}" not found`)];
  }

  #page(query: URLSearchParams): object {
    const start = Number(query.get("continue") || 0);
    const end = start + Number(query.get("limit"));
    const all = [...this.nodes.values()];
    return {
      kind: "CSINodeList",
      apiVersion: "storage.k8s.io/v1",
      metadata: { resourceVersion: "900", continue: end < all.length ? String(end) : "" },
      items: all.slice(start, end),
    };
  }
}

/** A Kubernetes API on a local port, with a certificate of its own, and a directory that asks it. */
async function start(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "rds-csi-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "ca.crt")];
  const subject = ["-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1"];
  const form = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", key, "-out", cert];
  assert.equal(spawnSync("openssl", ["req", ...form, ...subject, ...files]).status, 0);
  writeFileSync(join(folder, "token"), "first\n");
  const rig = new Rig();
  const server = createServer(
    { key: readFileSync(key), cert: readFileSync(cert) },
    (request, response) => rig.answer(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const api = new ApiClient({ host: "127.0.0.1", port, serviceAccount: folder, timeoutMs: 300 });
  t.after(() => {
    api[Symbol.dispose]();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const directory = new CsiNodeDirectory({ api, driverName, clock: rig.clock });
  return { rig, api, server, directory, folder, port };
}

test("CsiNodeDirectory.isKnown() finds a node by its name with one request", async (t) => {
  const { rig, directory } = await start(t);
  rig.nodes.set("worker-1", csiNode("worker-1", "worker-1"));
  assert.equal(await directory.isKnown("worker-1", testContext()), true);
  assert.deepEqual(rig.requests, [`${collection}/worker-1`]);
});

test("CsiNodeDirectory.isKnown() finds a node whose id is not its name, over many pages", async (t) => {
  const { rig, directory } = await start(t);
  for (let index = 0; index < 1_200; index += 1)
    rig.nodes.set(`worker-${index}`, csiNode(`worker-${index}`, `id-${index}`));
  assert.equal(await directory.isKnown("id-1150", testContext()), true);
  assert.equal(rig.requests.length, 1 + 3);
  assert.equal(await directory.isKnown("id-1200", testContext()), false);
});

test("CsiNodeDirectory.isKnown() knows no node on which this driver has not registered", async (t) => {
  const { rig, directory } = await start(t);
  const other = csiNode("worker-1", "worker-1");
  rig.nodes.set("worker-1", { ...other, spec: { drivers: other.spec.drivers.slice(0, 1) } });
  rig.nodes.set("worker-2", { ...other, spec: { drivers: null } });
  assert.equal(await directory.isKnown("worker-1", testContext()), false);
  assert.equal(await directory.isKnown("worker-2", testContext()), false);
});

test("CsiNodeDirectory.isKnown() remembers what it found for ten seconds, and absence not at all", async (t) => {
  const { rig, directory } = await start(t);
  assert.equal(await directory.isKnown("worker-1", testContext()), false);
  rig.nodes.set("worker-1", csiNode("worker-1", "worker-1"));
  assert.equal(await directory.isKnown("worker-1", testContext()), true);
  rig.nodes.clear();
  rig.clock.advance(9_999);
  assert.equal(await directory.isKnown("worker-1", testContext()), true);
  rig.clock.advance(1);
  assert.equal(await directory.isKnown("worker-1", testContext()), false);
});

test("CsiNodeDirectory.isKnown() escapes ids that no node name could be", async (t) => {
  const { rig, directory } = await start(t);
  assert.equal(await directory.isKnown("../../api/v1/secrets?x=1", testContext()), false);
  assert.equal(rig.requests[0], `${collection}/..%2F..%2Fapi%2Fv1%2Fsecrets%3Fx%3D1`);
});

test("ApiClient.get() reads the token anew for each request", async (t) => {
  const { rig, directory, folder } = await start(t);
  rig.nodes.set("worker-1", csiNode("worker-1", "worker-1"));
  rig.tokens.clear();
  rig.tokens.add("second");
  await assert.rejects(directory.isKnown("worker-1", testContext()), { kind: "permission-denied" });
  writeFileSync(join(folder, "token"), "second");
  assert.equal(await directory.isKnown("worker-1", testContext()), true);
});

test("ApiClient.get() passes on why the API refuses", async (t) => {
  const { rig, directory } = await start(t);
  rig.forbidden = true;
  await assert.rejects(directory.isKnown("worker-1", testContext()), {
    kind: "permission-denied",
    message: `Cannot read "${collection}/worker-1" from Kubernetes: the API answered 403 (csinodes.storage.k8s.io is forbidden: User "x" cannot list resource)`,
  });
});

test("ApiClient.get() does not wait longer than its limit, nor than its caller", async (t) => {
  const { rig, directory } = await start(t);
  rig.silent = true;
  await assert.rejects(directory.isKnown("worker-1", testContext()), {
    kind: "unavailable",
    message: /: no answer in time$/,
  });
  const signal = AbortSignal.timeout(20);
  const started = performance.now();
  await assert.rejects(directory.isKnown("worker-1", testContext({ signal })));
  assert.ok(performance.now() - started < 200);
});

test("ApiClient.get() trusts no certificate but the cluster's, and reports an API that is away", async (t) => {
  const { directory, server, folder } = await start(t);
  const trusted = readFileSync(join(folder, "ca.crt"));
  const other = await start(t);
  writeFileSync(join(folder, "ca.crt"), readFileSync(join(other.folder, "ca.crt")));
  await assert.rejects(directory.isKnown("worker-1", testContext()), {
    kind: "unavailable",
    message: /self-signed certificate/,
  });
  writeFileSync(join(folder, "ca.crt"), trusted);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(directory.isKnown("worker-1", testContext()), {
    kind: "unavailable",
    message: /ECONNREFUSED/,
  });
});
