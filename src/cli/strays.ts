import type { Log } from "#lib/log.ts";

/**
 * Errors that nobody has caught. A rejected promise that nobody waited for concerns one piece of work, and the
 * other volumes must not suffer: it is logged, and the process goes on. After an uncaught exception nobody knows
 * what was left half done: the process ends and is started again; what counts is on the appliance and on disk.
 */
export function watchStrays(log: Log): void {
  process.on("unhandledRejection", (err) => log.error({ err }, "A promise was rejected unheard"));
  process.on("uncaughtException", (err) => {
    log.error({ err }, "Ending after an exception that nobody caught");
    process.exit(1);
  });
}
