/** One of a few words. */
export interface ChoiceSwitch {
  readonly values: readonly string[];
  readonly default: string;
  readonly help: string;
}

/** A whole number within bounds, both included. */
export interface AmountSwitch {
  readonly range: readonly [number, number];
  readonly default: number;
  readonly help: string;
}

/**
 * Behaviours that sources contradict each other about, that nobody has seen on a device, or that
 * differ between devices. The default is what the better source says; help says what is switched.
 */
export const switchTable = {
  "exit-status": {
    values: ["1", "0", "absent"],
    default: "1",
    help: "Exit status of a failed command (seen: 1 on hardware 7.18, 0 on CHR 7.23; may be missing).",
  },
  "error-stream": {
    values: ["stdout", "stderr"],
    default: "stdout",
    help: "Where the text of an error is written.",
  },
  "output-width": {
    range: [20, 10_000],
    default: 80,
    help: "Columns after which human-readable output is wrapped.",
  },
  "json-strings": {
    values: ["convert", "keep"],
    default: "convert",
    help: 'Whether :serialize turns strings such as "7.1" into numbers unless told not to.',
  },
  keepalive: {
    values: ["ignored", "answered"],
    default: "ignored",
    help: "Whether keepalive@openssh.com requests are answered.",
  },
  "second-channel": {
    values: ["block", "refuse", "allow"],
    default: "block",
    help: "What happens to a second session channel while one is open on the same connection.",
  },
  "max-sessions": {
    range: [1, 1000],
    default: 20,
    help: "Connections at a time; further ones are closed at once.",
  },
  latency: {
    range: [0, 600_000],
    default: 0,
    help: "Milliseconds before each command line (observed on RDS2216: 200).",
  },
  "latency-jitter": {
    range: [0, 600_000],
    default: 0,
    help: "Up to so many milliseconds more, at random, before each command line.",
  },
  "add-latency": {
    range: [0, 600_000],
    default: 0,
    help: "Milliseconds that /disk/add takes (observed on RDS2216: 400 to 3000).",
  },
  "add-latency-jitter": {
    range: [0, 600_000],
    default: 0,
    help: "Up to so many milliseconds more, at random, for /disk/add.",
  },
  "throttle-burst": {
    range: [0, 100_000],
    default: 0,
    help: "Commands answered at full speed before throttling begins, over all connections; 0 is never.",
  },
  "throttle-delay": {
    range: [1, 60_000],
    default: 20,
    help: "Milliseconds per command once the burst is used up (observed on CHR: 20).",
  },
  "slot-limit": {
    values: ["32-refuse", "32-cut", "64"],
    default: "32-refuse",
    help: "Longest slot name, and whether a longer one is refused or cut.",
  },
  "existing-file": {
    values: ["adopt", "keep-size", "truncate", "refuse"],
    default: "adopt",
    help: "/disk/add on an existing file: use it (growing it if asked), use it as it is, empty it, or fail.",
  },
  "missing-directory": {
    values: ["fail", "create"],
    default: "fail",
    help: "/disk/add with a file path in a directory that does not exist.",
  },
  allocation: {
    values: ["full", "sparse", "host"],
    default: "full",
    help: "A file disk takes room at once, or as it is written; host = ask the file system of the data folder.",
  },
  "remove-deletes-file": {
    values: ["no", "yes"],
    default: "no",
    help: "Whether /disk/remove deletes the backing file (manual: it does not).",
  },
  "directory-remove": {
    values: ["empty-only", "recursive"],
    default: "empty-only",
    help: "Whether /file/remove takes a directory that is not empty.",
  },
  "connected-remove": {
    values: ["allow", "refuse", "hang"],
    default: "allow",
    help: "/disk/remove of an export with connected hosts; hang waits until they are gone.",
  },
  "connected-unexport": {
    values: ["cut", "keep", "refuse", "hang"],
    default: "cut",
    help: "nvme-tcp-export=no with connected hosts: cut them off, leave them connected, fail, or wait.",
  },
  "resize-visibility": {
    values: ["live", "rescan", "re-export"],
    default: "live",
    help: "When a connected host sees the new size of a grown disk.",
  },
  "unexport-drain": {
    values: ["yes", "no"],
    default: "yes",
    help: "Whether an unexport answers only when accepted commands have been carried out (nvmet back end).",
  },
  "namespace-identity": {
    values: ["random", "stable"],
    default: "random",
    help: "Whether a disk has a new namespace UUID each time its export goes on (nvmet back end).",
  },
  "block-size": {
    values: ["4096", "512"],
    default: "4096",
    help: "Logical block size of exports, in bytes, from their next export on (nvmet back end).",
  },
  "nqn-while-exported": {
    values: ["refuse", "allow"],
    default: "refuse",
    help: "Setting nvme-tcp-server-nqn of a disk that is and stays exported.",
  },
  "unexported-target": {
    values: ["hidden", "shown"],
    default: "hidden",
    help: "Whether NQN, port and host list are printed while nvme-tcp-export=no (observed: hidden).",
  },
  "subvolume-leaf-names": {
    values: ["unique", "free"],
    default: "unique",
    help: "Whether two subvolumes of a file system may have the same last path component.",
  },
  "subvolume-in-use": {
    values: ["allow", "refuse"],
    default: "allow",
    help: "Removing a subvolume that holds the backing file of a disk.",
  },
  "storage-package-name": {
    values: ["rose-storage", "storage"],
    default: "rose-storage",
    help: "Name of the storage package in /system/package.",
  },
} as const satisfies Record<string, ChoiceSwitch | AmountSwitch>;

export type SwitchName = keyof typeof switchTable;

export type SwitchValue<N extends SwitchName> = (typeof switchTable)[N] extends {
  readonly values: readonly (infer V extends string)[];
}
  ? V
  : number;

export type SwitchValues = { readonly [N in SwitchName]: SwitchValue<N> };

/** The observed timing of an RDS2216. */
export const deviceTiming: Partial<SwitchValues> = {
  latency: 200,
  "add-latency": 400,
  "add-latency-jitter": 2600,
};
