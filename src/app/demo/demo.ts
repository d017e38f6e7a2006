import type { Context } from "#lib/context.ts";
import { silentLog } from "#lib/log.ts";
import { createExec } from "#linux/exec.ts";
import { lookAround } from "./machine.ts";
import { openPool, without } from "./pool.ts";
import { Show } from "./show.ts";
import { setStage } from "./stage-set.ts";
import { summary, type Terminal, tell } from "./story.ts";

/**
 * The driver's main job in one terminal: simulated appliance, controller and two nodes. Whatever happens,
 * nothing stays mounted, attached or running.
 * @throws {Error} of the step that failed, once everything is cleaned up.
 */
export async function playDemo(version: string, { out, signal }: Terminal): Promise<void> {
  const started = performance.now();
  // Cleaning up must work after the signal too.
  const ctx: Context = { signal: new AbortController().signal, log: silentLog };
  const machine = await lookAround(ctx);
  const lacks = [...machine.lacks];
  let snapshots = false;
  {
    await using pool = machine.mounts ? await openPool(createExec(), ctx) : without(undefined);
    if (pool.reason !== undefined) lacks.push(`the rescue by a snapshot: ${pool.reason}`);
    await using stage = await setStage(version, { isNvme: machine.nvme, pool }, silentLog);
    snapshots = stage.snapshots;
    await using undo = new AsyncDisposableStack();
    const show = new Show(out);
    const { options, port } = stage.simulator;
    out(
      `RDS CSI driver ${version}, on a simulated appliance (RouterOS ${options.version}, SSH port ${port})\n`,
    );
    for (const reason of lacks) out(`Cannot show ${reason}\n`);
    if (machine.loaded.length > 0)
      out(`Loaded the kernel modules ${machine.loaded.join(", ")}, which stay\n`);
    await tell({ stage, machine, show, signal, undo });
    undo.move(); // the story has undone everything itself
  }
  out(summary({ machine, lacks, snapshots }, (performance.now() - started) / 1000));
}
