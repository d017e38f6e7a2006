import type { Console } from "./console.ts";
import type { Place } from "./place.ts";
import type { PoolRow } from "./pool-row.ts";

/** The appliance as an operation on one of its volumes sees it. */
export interface Site {
  /** The appliance's name; for messages. */
  readonly name: string;
  readonly place: Place;
  /** Port of all NVMe/TCP exports. */
  readonly nvmePort: number;
  readonly console: Console;
  /** As read when the connection was made: file system and label hold, free space does not. */
  readonly pool: PoolRow;
}
