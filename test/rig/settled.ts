import { setTimeout as delay } from "node:timers/promises";

/** For appliances whose copies rest as long as a command may take: a test waits for it. */
export const shortCommands = { timeouts: { command: "3s" } };

/**
 * As a CO that calls again while a copy that an earlier try has begun rests, before it is cleared away.
 * @throws whatever else the call is answered with.
 */
export async function settled<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!String(error).includes("may still be at it")) throw error;
      await delay(200);
    }
  }
}
