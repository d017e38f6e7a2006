import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { DriverError } from "#domain/errors.ts";
import type { KubeletVolume, KubeletVolumes } from "#domain/ports/inheritance.ts";
import type { Context } from "#lib/context.ts";
import { isMissing } from "./atomic-file.ts";
import { readJsonFile } from "./json-file.ts";

const volumeData = v.object({ volumeHandle: v.string(), driverName: v.string() });

/**
 * Kubelet's own notes, written right before it asks a driver to stage: a file `vol_data.json` beside each staging path
 * `globalmount`, with the keys `volumeHandle` and `driverName`. The folder of a volume is
 * `plugins/kubernetes.io/csi/<driver>/<SHA-256 of the handle>`, before Kubernetes 1.24
 * `plugins/kubernetes.io/csi/pv/<PersistentVolume>`.
 * Source: Kubernetes, pkg/volume/csi/csi_attacher.go, `MountDevice` and `makeDeviceMountPath`; csi_plugin.go,
 * `volDataFileName`.
 */
export class FileKubeletVolumes implements KubeletVolumes {
  readonly #folder: string;
  readonly #driverName: string;

  /** @param kubelet - its root, `/var/lib/kubelet` */
  constructor(kubelet: string, driverName: string) {
    this.#folder = join(kubelet, "plugins/kubernetes.io/csi");
    this.#driverName = driverName;
  }

  async list(ctx: Context): Promise<readonly KubeletVolume[]> {
    const found: KubeletVolume[] = [];
    for (const layout of [this.#driverName, "pv"])
      for (const name of await namesIn(join(this.#folder, layout))) {
        const volume = await this.#read(join(this.#folder, layout, name), ctx);
        if (volume !== undefined) found.push(volume);
      }
    return found;
  }

  /** What cannot be read is somebody else's, or kubelet is about to write it anew: it hides no other. */
  async #read(folder: string, ctx: Context): Promise<KubeletVolume | undefined> {
    try {
      const data = await readJsonFile(join(folder, "vol_data.json"), volumeData);
      if (data?.driverName !== this.#driverName) return undefined;
      return { volumeId: data.volumeHandle, stagingPath: join(folder, "globalmount") };
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      ctx.log.warn({ reason: error.message }, "Passing over a note of kubelet's");
      return undefined;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
