import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import { type Command, command } from "./command.ts";
import type { Console } from "./console.ts";
import { faultError } from "./faults.ts";
import { textOf } from "./json.ts";
import { canonicalPath } from "./paths.ts";
import { foldersOf, type Place } from "./place.ts";
import type { PoolRow } from "./pool-row.ts";
import { poolIsMounted, printFiles } from "./queries.ts";
import { readBack } from "./read-records.ts";

/**
 * Makes the folders above all volumes, as subvolumes where the pool is Btrfs; those that are there stay
 * as they are. One round trip.
 * @param act - For messages: `create volume folders on appliance "rds1"`.
 */
export async function makeFolders(
  console: Console,
  { place, pool, act }: { readonly place: Place; readonly pool: PoolRow; readonly act: string },
  ctx: Context,
): Promise<void> {
  const names = foldersOf(place);
  const paths = names.map((name) => canonicalPath(`${place.mountPoint}/${name}`));
  const steps = names.map((name, index) => makeFolder(pool, name, paths[index] ?? ""));
  const effect = command`:if ${poolIsMounted(place)} do={ ${sequence(steps)} }`;
  const view = printFiles(anyName(paths));
  const { reply, doubt } = await console.apply(effect, view, ctx);
  // Another controller may have been faster; what is there then decides.
  const raced = !reply.ok && reply.fault.type === "already-exists";
  const seen = raced ? await console.read(view, ctx) : reply;
  if (!seen.ok) throw faultError(act, seen.fault);
  const present = readBack(seen.output, 1, act)
    .flat()
    .map((record) => canonicalPath(textOf(record, "name")));
  const missing = paths.find((path) => !present.includes(path));
  if (missing === undefined) return;
  if (!reply.ok) throw faultError(act, reply.fault);
  throw doubt ?? new DriverError("unavailable", `Cannot ${act}: "${missing}" is still missing`);
}

function makeFolder({ layout, fsLabel }: PoolRow, name: string, path: string): Command {
  const add =
    layout === "flat"
      ? command`/file/add name=${path} type=directory`
      : command`/disk/btrfs/subvolume/add fs=${fsLabel} name=${name}`;
  return command`:if ([:len [/file/find name=${path}]] = 0) do={ ${add} }`;
}

function sequence(commands: readonly Command[]): Command {
  return commands.reduce((all, next) => command`${all}; ${next}`);
}

function anyName(paths: readonly string[]): Command {
  return paths
    .map((path) => command`name=${path}`)
    .reduce((all, next) => command`${all} or ${next}`);
}
