/** The part of a CSINode object that matters here. Source: Kubernetes API, storage.k8s.io/v1. */
export interface CsiNode {
  readonly spec?: {
    readonly drivers?: readonly { readonly name?: string; readonly nodeID?: string }[] | null;
  };
}

export interface CsiNodeList {
  readonly items?: readonly CsiNode[] | null;
  readonly metadata?: { readonly continue?: string };
}

/** Whether this node runs the driver and bears the id. */
export function bears({ spec }: CsiNode, driverName: string, nodeId: string): boolean {
  const drivers = spec?.drivers ?? [];
  return drivers.some(({ name, nodeID }) => name === driverName && nodeID === nodeId);
}
