import type { Secret } from "#lib/secret.ts";

/** How to reach one appliance, and how to know that it is the right one. */
export interface Endpoint {
  /** The appliance's name in the configuration; for messages. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** OpenSSH or PEM text; RouterOS takes RSA and, from 7.12 on, ed25519, but no ECDSA. */
  readonly privateKey: Secret;
  /** `SHA256:…` as `ssh-keygen -lf` prints it. There is no way to accept any key. */
  readonly hostKey: string;
  /** From the first packet to the end of the SSH handshake, milliseconds. */
  readonly connectTimeoutMs: number;
  /** For one command to be answered in full, milliseconds. */
  readonly commandTimeoutMs: number;
}
