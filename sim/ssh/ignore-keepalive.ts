import type { Connection } from "ssh2";

interface Protocol {
  requestFailure(): void;
}

/**
 * Leaves `keepalive@openssh.com` requests without an answer, as an RDS does. ssh2 refuses every global
 * request that it does not know and offers no way to keep silent, hence the reach into its protocol;
 * the other requests it would refuse are forwardings, which the device does not answer usefully either.
 * @throws {Error} when ssh2 has changed inside, rather than answering after all.
 */
export function ignoreKeepalive(connection: Connection, isIgnored: () => boolean): void {
  const protocol = protocolOf(connection);
  const refuse = protocol.requestFailure.bind(protocol);
  protocol.requestFailure = () => {
    if (!isIgnored()) refuse();
  };
}

function protocolOf(connection: Connection): Protocol {
  const protocol: unknown = "_protocol" in connection ? connection._protocol : undefined;
  if (isProtocol(protocol)) return protocol;
  throw new Error("Cannot ignore keep-alive requests: ssh2 has no _protocol.requestFailure");
}

function isProtocol(value: unknown): value is Protocol {
  return (
    typeof value === "object" &&
    value !== null &&
    "requestFailure" in value &&
    typeof value.requestFailure === "function"
  );
}
