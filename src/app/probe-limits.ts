/** Probes of several sidecars come every few seconds; the appliance must not feel them. */
export const probeLimits = { limitMilliseconds: 3_000, cacheMilliseconds: 5_000 } as const;
