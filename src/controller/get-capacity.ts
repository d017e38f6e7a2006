import type { BlockAccess, MountAccess, VolumeUse } from "#domain/access-mode.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { Context } from "#lib/context.ts";
import { commonAccess } from "./common-access.ts";
import { availableBytes } from "./headroom.ts";
import { checkParameters, chosenAppliance, type Parameters } from "./storage-class.ts";
import { minimumSize, sizeStep } from "./volume-size.ts";

/** Bytes, all of them. */
export interface Capacity {
  readonly available: number;
  /** The largest volume that can be made now; Kubernetes' scheduler prefers it to `available`. */
  readonly maximum: number;
  readonly minimum: number;
}

/**
 * What can still be provisioned with a StorageClass. One round trip.
 * @throws {DriverError} `invalid-argument` for parameters or uses that CreateVolume would refuse, too.
 */
export async function getCapacity(
  { uses, parameters }: { readonly uses: readonly VolumeUse[]; readonly parameters: Parameters },
  appliances: Appliances,
  ctx: Context,
): Promise<Capacity> {
  const access = uses.length > 0 ? commonAccess(uses) : undefined;
  checkParameters(parameters, access);
  const { volumes, limits } = chosenAppliance(parameters, appliances);
  const room = availableBytes(await volumes.survey(ctx), limits);
  return capacityOf(room, access);
}

function capacityOf(room: number, access: BlockAccess | MountAccess | undefined): Capacity {
  const minimum = minimumSize(access);
  const usable = Math.floor(room / sizeStep) * sizeStep;
  const available = usable < minimum ? 0 : usable;
  return { available, maximum: available, minimum };
}
