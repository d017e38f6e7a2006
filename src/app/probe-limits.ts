/**
 * Probes of several sidecars come every few seconds; the appliance must not feel them. The first one after a
 * connection takes seven commands, of up to a second each on a busy appliance.
 */
export const probeLimits = { limitMilliseconds: 10_000, cacheMilliseconds: 5_000 } as const;
