import manifest from "../../package.json" with { type: "json" };

/** Of package.json; the bundle carries it inside. */
export const version: string = manifest.version;
