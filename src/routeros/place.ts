import type { Layout } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { canonicalPath } from "./paths.ts";

/** Where this cluster's volumes lie. Nothing outside of it is ever removed. */
export interface Place {
  /** Of the pool, canonical, such as `storage-pool`. */
  readonly mountPoint: string;
  /** The driver's folder on the pool, such as `csi`. */
  readonly baseDirectory: string;
  readonly clusterId: string;
}

/** What it takes to name an image. */
export interface ImagePlace {
  readonly place: Place;
  readonly slot: Slot;
  readonly layout: Layout;
}

export const layouts: readonly Layout[] = ["subvolume", "flat"];

/** The folders above all volumes, outermost first, from the pool's top: `csi`, `csi/<cluster>`. */
export function foldersOf({ baseDirectory, clusterId }: Place): readonly string[] {
  const names = canonicalPath(`${baseDirectory}/${clusterId}`).split("/");
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** The volume's own folder from the pool's top, which is the `fullname` of its subvolume. */
export function subvolumeName({ baseDirectory, clusterId }: Place, slot: Slot): string {
  return canonicalPath(`${baseDirectory}/${clusterId}/${slot}`);
}

/** The canonical path of the volume's own folder. */
export function volumeFolder(place: Place, slot: Slot): string {
  return canonicalPath(`${place.mountPoint}/${subvolumeName(place, slot)}`);
}

/** The canonical path of a volume's image. */
export function imagePath({ place, slot, layout }: ImagePlace): string {
  const folder = volumeFolder(place, slot);
  return layout === "subvolume" ? `${folder}/disk.img` : `${folder}.img`;
}

/** The layout by which `path` is the image of `slot`; `undefined` when it lies anywhere else. */
export function layoutOf(place: Place, slot: Slot, path: string): Layout | undefined {
  return layouts.find((layout) => imagePath({ place, slot, layout }) === canonicalPath(path));
}
