import { createConnection, createServer, type Socket } from "node:net";

const port = 4420;
/** ICReq; then the capsule of Connect, with a header of 8 bytes, a submission queue entry of 64, and its data. */
const capsuleAt = 128;
const queueNumberAt = capsuleAt + 8 + 42;
const nqnAt = capsuleAt + 8 + 64 + 256;
const nqnBytes = 256;
/** ICResp and the response to Connect. */
const connectedAfterBytes = 128 + 24;

/*
 * relay-box.ts AT TARGET: stands on the way to a target's NVMe/TCP, and can break connections in the very moment when they have been
 * made. Is told by its parent: `cut` breaks all of them; `treacherous` and `honest`, whether they break once their first I/O queue is
 * connected. Source of the lengths and places: the NVMe/TCP transport specification, of the NVM Express organisation.
 */
const [at, target] = process.argv.slice(2);
/** Each with the beginning of what the host has sent. */
const hosts = new Map<Socket, Buffer>();
let isTreacherous = false;

function nqnOf(head: Buffer | undefined): string {
  return head?.toString("latin1", nqnAt, nqnAt + nqnBytes) ?? "";
}

/** Breaks the connections to one NQN. */
function cut(nqn: string): void {
  for (const [host, head] of hosts) if (nqnOf(head) === nqn) host.resetAndDestroy();
}

function relay(host: Socket): void {
  const upstream = createConnection({ host: target ?? "", port, noDelay: true });
  hosts.set(host, Buffer.alloc(0));
  for (const socket of [host, upstream]) {
    socket.on("error", () => {});
    socket.on("close", () => {
      hosts.delete(host);
      host.destroy();
      upstream.destroy();
    });
  }
  let answered = 0;
  host.on("data", (data) => {
    const head = hosts.get(host);
    if (head !== undefined && head.length < nqnAt + nqnBytes)
      hosts.set(host, Buffer.concat([head, data]));
    upstream.write(data);
  });
  upstream.on("data", (data) => {
    host.write(data);
    const wasConnected = answered >= connectedAfterBytes;
    answered += data.length;
    const isConnected = !wasConnected && answered >= connectedAfterBytes;
    const head = hosts.get(host);
    if (isTreacherous && isConnected && head?.[queueNumberAt] === 1) cut(nqnOf(head));
  });
}

process.on("message", (word) => {
  if (word === "cut") for (const host of hosts.keys()) host.resetAndDestroy();
  else isTreacherous = word === "treacherous";
});
process.on("disconnect", () => process.exit());
createServer({ noDelay: true }, relay).listen(port, at, () => process.send?.("listening"));
