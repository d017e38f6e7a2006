import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { serviceAccountFolder } from "#kubernetes/api-client.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterVolume } from "./cluster-volume.ts";
import { sh } from "./world.ts";

const driverName = "rds.csi.srvlab.io";
const csiNodes = "/apis/storage.k8s.io/v1/csinodes/";
const attachments = "/apis/storage.k8s.io/v1/volumeattachments/";

/**
 * As much of the Kubernetes API as a node plugin asks for: its own CSINode, and VolumeAttachments by name. Plugins
 * that are started after it find it as pods do: by the environment and the files of the service account.
 */
export class KubernetesApi implements Disposable {
  readonly #server: Server;
  readonly #attached = new Map<string, string>();
  #isReachable = true;
  /** Requests that nobody answered. */
  refused = 0;

  static async start(): Promise<KubernetesApi> {
    mkdirSync(serviceAccountFolder, { recursive: true });
    const [key, cert] = [`${serviceAccountFolder}/key`, `${serviceAccountFolder}/ca.crt`];
    sh(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=api \
      -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`);
    writeFileSync(`${serviceAccountFolder}/token`, "token\n");
    const api = new KubernetesApi({ key: readFileSync(key), cert: readFileSync(cert) });
    await new Promise<void>((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    const { port } = api.#server.address() as AddressInfo;
    process.env["KUBERNETES_SERVICE_HOST"] = "127.0.0.1";
    process.env["KUBERNETES_SERVICE_PORT_HTTPS"] = `${port}`;
    return api;
  }

  private constructor(pair: { readonly key: Buffer; readonly cert: Buffer }) {
    this.#server = createServer(pair, (request, response) => {
      if (!this.#isReachable) {
        this.refused += 1;
        request.socket.destroy();
        return;
      }
      const found = this.#find(request.url ?? "");
      response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(found ?? { kind: "Status", code: 404, message: "not found" }));
    });
  }

  /** Nobody gets an answer, or everybody does again. */
  setReachable(reachable: boolean): void {
    this.#isReachable = reachable;
  }

  /** Attaches, stages and publishes, and has a VolumeAttachment for it. */
  async bringUp(cluster: Cluster, volume: ClusterVolume, nodeId: string) {
    const up = await cluster.bringUp(volume, nodeId);
    this.attach(volume, nodeId, up.nqn);
    return up;
  }

  /** The attachment as the external attacher leaves it, with the NQN of the publish context. */
  attach(volume: ClusterVolume, nodeId: string, nqn: string): void {
    this.#attached.set(nameOf(volume, nodeId), nqn);
  }

  detach(volume: ClusterVolume, nodeId: string): void {
    this.#attached.delete(nameOf(volume, nodeId));
  }

  [Symbol.dispose](): void {
    delete process.env["KUBERNETES_SERVICE_HOST"];
    delete process.env["KUBERNETES_SERVICE_PORT_HTTPS"];
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #find(path: string): object | undefined {
    if (path.startsWith(csiNodes)) return { metadata: { name: path.slice(csiNodes.length) } };
    const nqn = this.#attached.get(path.slice(attachments.length));
    if (!path.startsWith(attachments) || nqn === undefined) return undefined;
    return { metadata: {}, status: { attached: true, attachmentMetadata: { nqn } } };
  }
}

/** Source: kubernetes/pkg/volume/csi/csi_attacher.go, `getAttachmentName`. */
function nameOf({ id }: ClusterVolume, nodeId: string): string {
  return `csi-${createHash("sha256").update(`${id}${driverName}${nodeId}`).digest("hex")}`;
}
