/**
 * Whether `text` may name a node: it is written, with commas between, into comments of the appliance, which
 * hold 255 bytes. The CSI spec allows 256 bytes of any text; node names in Kubernetes are DNS names.
 */
export function isNodeId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,192}$/.test(text);
}
