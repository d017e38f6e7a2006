import { DriverError } from "#domain/errors.ts";

/** Where the CSI server listens. */
export type Endpoint =
  | { readonly type: "unix"; readonly path: string }
  /** For tests and tools; CSI itself speaks over a socket file only. */
  | { readonly type: "tcp"; readonly address: string };

/** `sun_path` of unix(7) has 108 bytes, one of them a final zero. */
const longestPath = 107;

/**
 * Reads `unix:///csi/csi.sock`, `unix:/csi/csi.sock`, `/csi/csi.sock` or `tcp://127.0.0.1:50051`.
 * @throws {DriverError} `invalid-argument` for anything else.
 */
export function parseEndpoint(text: string): Endpoint {
  const [, address] = /^tcp:\/\/(.+:\d+)$/.exec(text) ?? [];
  if (address !== undefined) return { type: "tcp", address };
  const [, path] = /^(?:unix:(?:\/\/)?)?(\/[^/](?:.*[^/])?)$/.exec(text) ?? [];
  if (path === undefined)
    throw new DriverError(
      "invalid-argument",
      `Cannot listen on "${text}": expected unix:///path/of/socket`,
    );
  const bytes = Buffer.byteLength(path);
  if (bytes > longestPath)
    throw new DriverError(
      "invalid-argument",
      `Cannot listen on "${path}": the path has ${bytes} bytes, Linux allows ${longestPath}`,
    );
  return { type: "unix", path };
}
