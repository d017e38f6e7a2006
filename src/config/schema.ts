import { isIP } from "node:net";
import * as v from "valibot";
import {
  duration,
  type Form,
  list,
  number,
  oneOf,
  percent,
  setting,
  text,
  wholeNumber,
} from "./form.ts";

const absolutePath = text("an absolute path", /^\/[^\0\n]*$/);

const hostPattern = /^[A-Za-z0-9]([A-Za-z0-9-]{0,62}\.?)*$/;
const host: Form<string> = {
  expected: "an IP address or a host name",
  read: (given) =>
    typeof given === "string" && (isIP(given) !== 0 || hostPattern.test(given)) ? given : undefined,
};

/** As Kubernetes names nodes, and as a RouterOS comment can carry them. */
const nodeId = text("1 to 192 of A-Z, a-z, 0-9, ., _ and -", /^[A-Za-z0-9._-]{1,192}$/);

const port = wholeNumber(1, 65_535);

/** `x` = every default of its inner settings. */
const group = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.optional(v.strictObject(entries), {} as v.InferInput<v.StrictObjectSchema<Entries, undefined>>);

const appliance = v.strictObject({
  address: setting("Where RouterOS answers SSH.", host),
  port: v.optional(setting("Port of SSH.", port), 22),
  user: setting(
    "RouterOS user; its group needs the policies ssh, read, write and test.",
    text("a user name", /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/),
  ),
  privateKeyFile: setting(
    "File with the private SSH key of that user, ed25519 or RSA, without passphrase.",
    absolutePath,
  ),
  hostKey: setting(
    "Fingerprint of the appliance's SSH host key, as `ssh-keygen -lf` prints it. Any other key is refused.",
    text('"SHA256:" and 43 characters of base64', /^SHA256:[A-Za-z0-9+/]{43}$/),
  ),
  pool: setting(
    "Mount point of the file system that holds the volumes.",
    text("a mount point such as storage-pool", /^\/?[A-Za-z0-9][A-Za-z0-9._-]*$/),
  ),
  baseDirectory: v.optional(
    setting(
      "The driver's folder on the pool.",
      text("the name of a folder", /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    ),
    "csi",
  ),
  data: group({
    addresses: v.optional(
      setting(
        "Where nodes reach the volumes over NVMe/TCP; by default `address`. A name is looked up by the node when it connects; the kernel keeps the address while it reconnects by itself.",
        list(host),
      ),
    ),
    port: v.optional(setting("Port of the NVMe/TCP exports.", port), 4420),
  }),
  limits: group({
    reserve: v.optional(
      setting(
        "Share of the pool that is never promised: a full pool stops the file systems on its volumes.",
        percent(0, 90),
      ),
      "10%",
    ),
    emergency: v.optional(
      setting(
        "Share of the pool below which its exports go off, so that writes wait instead of failing; they come back when twice as much is free. 0% = never; by default a fifth of `reserve`, and at most half of it.",
        percent(0, 45),
      ),
    ),
    overprovision: v.optional(
      setting("How many times its size the pool may be promised.", number(1, 100)),
      1,
    ),
  }),
  timeouts: group({
    connect: v.optional(setting("For TCP and SSH to be set up.", duration("1s", "5m")), "10s"),
    command: v.optional(
      setting(
        "For one RouterOS command; as long, a copy without a disk entry may be one that is just being made.",
        duration("1s", "10m"),
      ),
      "30s",
    ),
  }),
  channels: v.optional(
    setting("Commands under way at once; 1 is what RouterOS is known to serve.", wholeNumber(1, 8)),
    1,
  ),
  queue: v.optional(
    setting("Commands that may wait for their turn.", wholeNumber(1, 10_000)),
    1_000,
  ),
});

/** As the ids of its volumes can carry it: `isApplianceName` of the domain. */
const applianceName = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/,
    "expected an appliance name of at most 32 of a-z, 0-9 and -",
  ),
);

const node = group({
  kubeletDirectory: v.optional(
    setting(
      "Kubelet's folder (`--root-dir`), under the same path for the plugin: what kubelet keeps there tells of volumes that an earlier driver staged.",
      absolutePath,
    ),
    "/var/lib/kubelet",
  ),
  stateDirectory: v.optional(
    setting(
      "Folder that outlives the process, for what a node must remember about its volumes; by default the driver's folder among the plugins in `kubeletDirectory`.",
      absolutePath,
    ),
  ),
  maxVolumes: v.optional(
    setting("Volumes that may be attached to one node; 0 = no limit.", wholeNumber(0, 10_000)),
    128,
  ),
  deviceTimeout: v.optional(
    setting(
      "For a volume's device to appear after it was connected, and for a volume to come back before unstaging discards what was not flushed.",
      duration("1s", "5m"),
    ),
    "30s",
  ),
  initiator: group({
    type: v.optional(
      setting(
        "How volumes reach the node. `loop` attaches the simulator's images on this very machine; for demonstrations only.",
        oneOf("linux-nvme", "loop"),
      ),
      "linux-nvme",
    ),
    exportsDirectory: v.optional(
      setting("Folder of the simulator's exports; needed by `loop`.", absolutePath),
    ),
  }),
});

/** Every key of the configuration; docs/configuration.md is made from it. */
export const configSchema = v.strictObject({
  driverName: v.optional(
    setting(
      "Name of the CSI driver; PersistentVolumes refer to it, so it never changes.",
      text(
        "a domain name of at most 63 characters",
        /^(?=.{1,63}$)[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$/,
      ),
    ),
    "rds.csi.srvlab.io",
  ),
  endpoint: v.optional(
    setting(
      "Where the CSI server listens.",
      text("unix:///path/of/socket", /^((unix:(\/\/)?)?\/[^/\s].*|tcp:\/\/.+:\d+)$/),
    ),
    "unix:///csi/csi.sock",
  ),
  nodeId: v.optional(
    setting(
      "Name of this node; required by `rds-csi node`. In Kubernetes the node's name.",
      nodeId,
    ),
  ),
  clusterId: v.optional(
    setting(
      "Tells this cluster's volumes from others on the same appliance; required by `rds-csi controller`. It never changes.",
      text("1 to 32 of a-z, 0-9 and -", /^[a-z0-9-]{1,32}$/),
    ),
  ),
  logLevel: v.optional(
    setting("How much is logged.", oneOf("debug", "info", "warn", "error")),
    "info",
  ),
  shutdownTimeout: v.optional(
    setting(
      "How long a stopping process waits for the calls under way; less than the pod's terminationGracePeriodSeconds.",
      duration("0s", "10m"),
    ),
    "20s",
  ),
  defaultAppliance: v.optional(
    setting(
      "The appliance of StorageClasses that name none. The ids of its volumes bear no appliance name, so it never changes. Required with several appliances.",
      text("the name of an appliance", /./),
    ),
  ),
  appliances: v.optional(v.record(applianceName, appliance), {}),
  nodes: v.optional(
    setting("The nodes that exist, where there is no Kubernetes.", list(nodeId)),
    [],
  ),
  kubernetes: v.optional(
    setting(
      "Whether to ask the Kubernetes API which nodes exist: `auto` = inside a cluster.",
      oneOf("auto", "off"),
    ),
    "auto",
  ),
  fencing: group({
    settleTime: v.optional(
      setting(
        "How long a volume rests between two nodes, so that the target can finish what it has accepted.",
        duration("0s", "10m"),
      ),
      "5s",
    ),
  }),
  node,
});

export type Settings = v.InferOutput<typeof configSchema>;
export type ApplianceSettings = v.InferOutput<typeof appliance>;
