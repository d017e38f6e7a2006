import { isIP } from "node:net";

const label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const hostname = new RegExp(`^${label}(\\.${label})*$`);

/** Whether `text` is an IPv4 or IPv6 address or a host name (RFC 1123), without a port. */
export function isHostAddress(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const looksLikeIpv4 = /^[0-9.]+$/.test(text);
  return !looksLikeIpv4 && text.length <= 253 && hostname.test(text);
}
