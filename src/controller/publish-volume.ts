import { type AccessMode, accessModes } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { isNodeId } from "#domain/node-id.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { NodeDirectory } from "#domain/ports/node-directory.ts";
import type { PublishContext } from "#domain/publish-context.ts";
import type { Volume } from "#domain/volume.ts";
import type { Attachment } from "#domain/volume-tag.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { beginEpoch, cutUnknown, join, settlingTime } from "./attachment.ts";
import { cutOff } from "./cut-off.ts";
import { roomToOpen } from "./emergency.ts";
import { epochNqn } from "./epoch-nqn.ts";
import {
  requireLocation,
  requireSize,
  requireVolume,
  type VolumeLocation,
} from "./located-volume.ts";
import { isExported, restoreExport } from "./restore-export.ts";
import { untilWon } from "./until-won.ts";

export interface PublisherOptions {
  readonly appliances: Appliances;
  readonly nodes: NodeDirectory;
  readonly clock: Clock;
  /** Eight random characters of a-z and 0-9, others each time. */
  readonly nonce: () => string;
  /** How long the target may still be writing what it accepted from a node that was cut off. */
  readonly fenceSettleSeconds: number;
  /** Appliances whose pools have run full, by name. */
  readonly shutPools: ReadonlySet<string>;
}

export interface PublishRequest {
  readonly id: string;
  readonly node: string;
  readonly mode: AccessMode;
}

interface Call extends PublishRequest, Pick<VolumeLocation, "appliance" | "slot"> {}

/**
 * Hands volumes to nodes. The appliance alone says who has a volume: every decision is made on what was just
 * read, and takes effect by one compare-and-set (docs/architecture.md, "Fencing by the target").
 */
export class Publisher {
  readonly #options: PublisherOptions;
  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Repeating it changes nothing and returns the same. Two round trips.
   * @throws {DriverError} `not-found` for volume or node, `failed-precondition` while another node has the
   * volume, `already-exists` for another access mode on this node, `unavailable` when the call ends before
   * the last writes of another node have settled, and while the pool has run full.
   */
  async publish(request: PublishRequest, ctx: Context): Promise<PublishContext> {
    if (!isNodeId(request.node))
      throw new DriverError(
        "invalid-argument",
        `Cannot publish to node ${JSON.stringify(request.node)}: expected 1 to 192 of A-Z a-z 0-9 . _ -`,
      );
    const location = requireLocation(request.id, this.#options.appliances);
    const call = { ...location, ...request };
    const volume = await untilWon(request.id, async () => {
      const found = await requireVolume(location, ctx);
      this.#requireOpen(found, call);
      requireSize(found, location.appliance);
      return await this.#attach(found, call, ctx);
    });
    const { sizeBytes: minSizeBytes, tag } = volume;
    const { port } = volume.exported;
    const { addresses } = location.appliance.data;
    const target = { nqn: epochNqn(volume), addresses, port };
    return { target, minSizeBytes, ...(tag.source !== undefined && { source: tag.source }) };
  }

  /** @returns the volume, attached and exported; `undefined` when somebody else was faster. */
  async #attach(volume: Volume, call: Call, ctx: Context): Promise<Volume | undefined> {
    const { attachment } = volume.tag;
    if (attachment === undefined) return await this.#attachFirst(volume, call, ctx);
    if (!attachment.nodes.includes(call.node))
      return await this.#attachAlso(volume, attachment, call, ctx);
    if (attachment.mode === call.mode) return await this.#restore(volume, call, ctx);
    throw new DriverError(
      "already-exists",
      `Cannot publish volume "${call.id}" to "${call.node}" as ${call.mode}: it is published there as ${attachment.mode}`,
    );
  }

  async #attachFirst(volume: Volume, call: Call, ctx: Context): Promise<Volume | undefined> {
    await this.#requireNode(call, ctx);
    const idle = volume.exported.enabled ? await this.#cutOff(volume, call, ctx) : volume;
    if (idle === undefined) return undefined;
    await this.#settle(idle, call, ctx);
    const now = this.#options.clock.now().getTime();
    const tag = beginEpoch(idle.tag, { ...call, now }, this.#options.nonce());
    const nqn = epochNqn({ slot: call.slot, tag });
    const { port } = call.appliance.data;
    const change = { tag, exported: { enabled: true, nqn, port } } as const;
    const attached = await call.appliance.volumes.change(idle, change, ctx);
    if (attached) ctx.log.info({ volumeId: call.id, nodeId: call.node, nqn }, "Volume published");
    return attached;
  }

  async #attachAlso(
    volume: Volume,
    attachment: Attachment,
    call: Call,
    ctx: Context,
  ): Promise<Volume | undefined> {
    requireShareable(attachment, call);
    await this.#requireNode(call, ctx);
    const exported = await this.#restore(volume, call, ctx);
    if (exported === undefined) return undefined;
    const tag = join(exported.tag, { ...call, now: this.#options.clock.now().getTime() });
    const shared = await call.appliance.volumes.change(exported, { tag }, ctx);
    if (shared)
      ctx.log.info(
        { volumeId: call.id, nodeId: call.node, sharedWith: attachment.nodes },
        "Volume published to one more node",
      );
    return shared;
  }

  /** Pods may be running, whose export somebody has switched off. */
  async #restore(volume: Volume, { id, appliance }: Call, ctx: Context) {
    const { enabled, nqn: found } = volume.exported;
    if (!isExported(volume))
      ctx.log.warn({ volumeId: id, found, enabled }, "Volume lacked its export: export restored");
    return await restoreExport(volume, appliance, ctx);
  }

  /** What puts exports of a full pool back is the guard of the pool, and nothing else. */
  #requireOpen({ tag }: Volume, { id, node, appliance }: Call): void {
    const cannot = `Cannot publish volume "${id}" to "${node}"`;
    if (this.#options.shutPools.has(appliance.name))
      throw new DriverError(
        "unavailable",
        `${cannot}: the pool of appliance "${appliance.name}" has run full, and its exports are off until ${roomToOpen(appliance.limits)} of it is free; delete snapshots or volumes`,
      );
    if (tag.halted)
      throw new DriverError(
        "unavailable",
        `${cannot}: its export was taken off when the pool of appliance "${appliance.name}" ran full, and is not back yet`,
      );
  }

  async #requireNode({ id, node }: Call, ctx: Context): Promise<void> {
    if (await this.#options.nodes.isKnown(node, ctx)) return;
    throw new DriverError(
      "not-found",
      `Cannot publish volume "${id}" to "${node}": no such node is known`,
    );
  }

  /** An export without a node on record: somebody may be using it, and nobody may. */
  async #cutOff(volume: Volume, { id, appliance }: Call, ctx: Context) {
    const { clock } = this.#options;
    ctx.log.warn(
      { volumeId: id, nqn: volume.exported.nqn },
      "Volume was exported while attached to no node: export turned off",
    );
    const tagAt = (now: number) => cutUnknown(volume.tag, now);
    return await cutOff(volume, tagAt, { appliance, clock }, ctx);
  }

  async #settle({ tag }: Volume, { id, node }: Call, ctx: Context): Promise<void> {
    const { clock, fenceSettleSeconds } = this.#options;
    const waitMs = settlingTime(
      tag.departure,
      { node, now: clock.now().getTime() },
      fenceSettleSeconds * 1_000,
    );
    if (waitMs === 0) return;
    ctx.log.debug({ volumeId: id, waitMs }, "Waiting for the last writes of another node");
    try {
      await clock.sleep(waitMs, ctx.signal);
    } catch (cause) {
      throw new DriverError(
        "unavailable",
        `Cannot publish volume "${id}" to "${node}": another node left it less than ${fenceSettleSeconds} s ago, and its last writes may not have settled`,
        { cause },
      );
    }
  }
}

const maxNodes = { one: 1, two: 2, many: Number.POSITIVE_INFINITY } as const;

function requireShareable({ nodes, mode }: Attachment, call: Call): void {
  const limit = maxNodes[accessModes[call.mode].nodes];
  if (mode === call.mode && nodes.length < limit) return;
  const holders = nodes.map((node) => `"${node}"`).join(" and ");
  throw new DriverError(
    "failed-precondition",
    `Cannot publish volume "${call.id}" to "${call.node}" as ${call.mode}: it is attached to ${holders} as ${mode}`,
  );
}
