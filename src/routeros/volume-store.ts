import { DriverError } from "#domain/errors.ts";
import type { NewVolume, VolumeChange, VolumeStore } from "#domain/ports/volume-store.ts";
import type { Survey, Volume } from "#domain/volume.ts";
import { parseVolumeId, type Slot } from "#domain/volume-id.ts";
import type { Context } from "#lib/context.ts";
import type { ApplianceStatus } from "./appliance-status.ts";
import { changeVolume } from "./change-volume.ts";
import { copyVolume } from "./copy-volume.ts";
import { createVolume } from "./create-volume.ts";
import { removeEntry, removeImage } from "./delete-volume.ts";
import { faultError } from "./faults.ts";
import { makeFolders } from "./folders.ts";
import { growVolume } from "./grow-volume.ts";
import { PerConnection } from "./per-connection.ts";
import { layouts } from "./place.ts";
import { bySlot, printDisks } from "./queries.ts";
import type { RestingLeftovers } from "./resting-leftovers.ts";
import type { Site } from "./site.ts";
import { readSurvey } from "./survey.ts";
import type { Link } from "./transport/link.ts";
import { diskRows, volumeIn } from "./volume-reply.ts";

export interface VolumeStoreOptions extends Omit<Site, "pool"> {
  readonly link: Pick<Link, "generation">;
  /** What the probe found out over the present connection. */
  readonly status: PerConnection<ApplianceStatus>;
  readonly leftovers: RestingLeftovers;
}

/** Volumes as file-backed `/disk` entries of one appliance. */
export class RouterOsVolumeStore implements VolumeStore {
  readonly #options: VolumeStoreOptions;
  readonly #folders: PerConnection<void>;
  /** Slots that were reported as misplaced: once is enough. */
  readonly #reported = new Set<string>();

  constructor(options: VolumeStoreOptions) {
    this.#options = options;
    this.#folders = new PerConnection(options.link, (ctx) => this.#makeFolders(ctx));
  }

  async find(slot: Slot, ctx: Context): Promise<Volume | undefined> {
    const site = await this.#site(slot, ctx);
    const act = `find volume "${slot}" on appliance "${site.name}"`;
    const reply = await site.console.read(printDisks(bySlot(slot)), ctx);
    if (!reply.ok) throw faultError(act, reply.fault);
    return volumeIn(diskRows(reply.output, act), slot, { place: site.place, act });
  }

  async survey(ctx: Context): Promise<Survey> {
    await this.#options.status.get(ctx);
    const { misplaced, ...survey } = await readSurvey(this.#options, ctx);
    for (const { slot, reason } of misplaced.filter((one) => !this.#reported.has(one.slot))) {
      this.#reported.add(slot);
      ctx.log.warn({ appliance: this.#options.name, slot, reason }, "Ignoring a misplaced volume");
    }
    return survey;
  }

  async create(spec: NewVolume, ctx: Context): Promise<Volume> {
    const site = await this.#site(spec.slot, ctx);
    const { origin } = spec;
    const { leftovers } = this.#options;
    if (origin !== undefined) return await copyVolume(site, { spec, origin, leftovers }, ctx);
    await this.#folders.get(ctx);
    const first = await createVolume(site, spec, ctx);
    if (first !== "no-folder") return first;
    this.#folders.forget();
    await this.#folders.get(ctx);
    const second = await createVolume(site, spec, ctx);
    if (second !== "no-folder") return second;
    throw new DriverError(
      "unavailable",
      `Cannot create volume "${spec.slot}" on appliance "${site.name}": its folder vanished again`,
    );
  }

  async change(volume: Volume, change: VolumeChange, ctx: Context): Promise<Volume | undefined> {
    return await changeVolume(await this.#site(volume.slot, ctx), volume, change, ctx);
  }

  async grow(volume: Volume, sizeBytes: number, ctx: Context): Promise<Volume> {
    return await growVolume(await this.#site(volume.slot, ctx), volume, sizeBytes, ctx);
  }

  async delete(slot: Slot, volume: Volume | undefined, ctx: Context): Promise<void> {
    const site = await this.#site(slot, ctx);
    if (volume !== undefined) await removeEntry(site, volume, ctx);
    // Without an entry nothing tells how the volume was made: the pool may have got its label since, or lost it.
    const made = volume === undefined ? layouts : [volume.layout];
    for (const layout of made) await removeImage(site, { slot, layout }, ctx);
  }

  /** @throws {DriverError} whatever the probe found missing; `invalid-argument` for a slot that is none. */
  async #site(slot: Slot, ctx: Context): Promise<Site> {
    if (parseVolumeId(slot)?.slot !== slot)
      throw new DriverError("invalid-argument", `Cannot use "${slot}" as the name of a volume`);
    const { pool } = await this.#options.status.get(ctx);
    const { name, place, nvmePort, console } = this.#options;
    return { name, place, nvmePort, console, pool };
  }

  async #makeFolders(ctx: Context): Promise<void> {
    const { name, place, console, status } = this.#options;
    const { pool } = await status.get(ctx);
    const act = `create the folders for volumes on appliance "${name}"`;
    await makeFolders(console, { place, pool, act }, ctx);
  }
}
