/** One setting as somewhere given. */
export interface Given {
  /** `["appliances", "rds1", "port"]` */
  readonly path: readonly string[];
  readonly value: unknown;
  /** For messages: `/etc/rds-csi/config.yaml, line 3`, `--set`, `environment variable RDS_CSI_NODE_ID` */
  readonly source: string;
}

/** A configuration as given, before anything was checked. */
export interface GivenTree {
  readonly root: unknown;
  /** Where the setting at a path comes from, or one above it, or the first one below it. */
  sourceOf(path: readonly string[]): string | undefined;
}

interface Branch {
  [key: string]: unknown;
}

/** Lays settings over one another: of two for the same path the later one counts. */
export function layered(settings: readonly Given[]): GivenTree {
  const root = newBranch();
  for (const given of settings) place(root, given);
  return {
    root,
    sourceOf: (path) => {
      const given =
        settings.findLast((one) => startsWith(path, one.path)) ??
        settings.find((one) => startsWith(one.path, path));
      return given?.source;
    },
  };
}

/** Without prototype: a key such as `__proto__` is a key like any other. */
function newBranch(): Branch {
  return Object.create(null);
}

function place(root: Branch, { path, value }: Given): void {
  const branches = path.slice(0, -1);
  const leaf = path.at(-1);
  if (leaf === undefined) return;
  let at = root;
  for (const key of branches) at = branchOf(at, key);
  at[leaf] = value;
}

function branchOf(parent: Branch, key: string): Branch {
  const child = parent[key];
  if (isBranch(child)) return child;
  const made = newBranch();
  parent[key] = made;
  return made;
}

function isBranch(value: unknown): value is Branch {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}

function startsWith(path: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((key, index) => path[index] === key);
}
