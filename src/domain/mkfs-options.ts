import type { FsType } from "./access-mode.ts";
import { DriverError } from "./errors.ts";

/** Options and what may follow them. */
type Rules = Readonly<Record<string, Value>>;
type Value = "no value" | RegExp | Words;
/** `key[=value]` words with commas between them. */
type Words = Readonly<Record<string, RegExp>>;

const number = /^\d{1,12}$/;
const size = /^\d{1,12}[kmg]?$/;
const bit = /^[01]$/;
/** For words that stand alone. */
const alone = /^$/;

const extFeatures = words(`
  64bit bigalloc casefold dir_index dir_nlink ea_inode encrypt ext_attr extent extents extra_isize
  fast_commit filetype flex_bg has_journal huge_file inline_data large_dir large_file meta_bg
  metadata_csum metadata_csum_seed orphan_file project quota resize_inode sparse_super sparse_super2
  stable_inodes uninit_bg verity
`);

const ext: Rules = {
  "-b": /^(1024|2048|4096)$/,
  "-e": /^(continue|remount-ro)$/,
  "-E": {
    discard: alone,
    nodiscard: alone,
    encoding: /^utf8(-12\.1)?$/,
    lazy_itable_init: bit,
    lazy_journal_init: bit,
    num_backup_sb: /^[012]$/,
    packed_meta_blocks: bit,
    resize: number,
    root_owner: /^\d{1,10}:\d{1,10}$/,
    stride: number,
    stripe_width: number,
  },
  "-g": number,
  "-G": number,
  "-i": number,
  "-I": /^(128|256|512|1024)$/,
  "-J": { size: number },
  "-L": /^[A-Za-z0-9_][A-Za-z0-9._-]{0,15}$/,
  "-m": /^([0-4]?\d(\.\d{1,2})?|50)$/,
  "-N": number,
  "-O": features(extFeatures),
  "-T": /^(default|small|big|huge|news|largefile|largefile4)$/,
};

const xfs: Rules = {
  "-b": { size },
  "-d": {
    agcount: number,
    agsize: size,
    su: size,
    sw: number,
    sunit: number,
    swidth: number,
    noalign: alone,
  },
  "-i": { size: number, maxpct: number, sparse: bit, nrext64: bit },
  "-K": "no value",
  "-l": { size, su: size, sunit: number, "lazy-count": bit },
  "-L": /^[A-Za-z0-9_][A-Za-z0-9._-]{0,11}$/,
  "-m": { crc: bit, finobt: bit, reflink: bit, rmapbt: bit, bigtime: bit, inobtcount: bit },
  "-n": { size, ftype: bit },
  "-s": { size: /^(512|4096)$/ },
};

const btrfsProfile = /^(single|dup)$/;
const btrfsFeatures = words("block-group-tree extref free-space-tree no-holes quota");

const btrfs: Rules = {
  "-d": btrfsProfile,
  "-m": btrfsProfile,
  "-M": "no value",
  "-n": size,
  "-s": size,
  "-K": "no value",
  "-L": /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/,
  "-O": features(btrfsFeatures),
  "-R": features(btrfsFeatures),
  "--csum": /^(crc32c|xxhash|sha256|blake2)$/,
};

/**
 * What a StorageClass may ask of mkfs. A white list, because an option can name a file or a device
 * (`-J device=`, `-r rootdir`), override the format guard (`-F`, `-f`), copy an identity (`-U`) or make
 * the kernel panic on an error (`-e panic`). Sources: mke2fs(8), mkfs.xfs(8), mkfs.btrfs(8).
 */
const rules: Readonly<Record<FsType, Rules>> = { ext4: ext, ext3: ext, xfs, btrfs };

/**
 * Takes the `mkfsOptions` parameter apart: options and their values, with blanks between them.
 * @returns arguments for mkfs, in the given order; `[]` for an empty text.
 * @throws {DriverError} `invalid-argument` naming the first option or value that is not allowed.
 */
export function mkfsOptions(text: string, fsType: FsType): string[] {
  const given = words(text);
  const rest = given.values();
  for (const option of rest) {
    const rule = Object.hasOwn(rules[fsType], option) ? rules[fsType][option] : undefined;
    if (rule === undefined)
      throw refusal(option, `mkfs.${fsType} takes ${Object.keys(rules[fsType]).join(" ")} here`);
    if (rule === "no value") continue;
    const value = rest.next().value ?? "";
    if (!matches(value, rule)) throw refusal(`${option} ${value}`, expectation(rule));
  }
  return given;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Each may be switched on, or off by a leading `^`. */
function features(names: readonly string[]): Words {
  return Object.fromEntries(
    names.flatMap((name) => [name, `^${name}`]).map((name) => [name, alone]),
  );
}

function matches(value: string, rule: RegExp | Words): boolean {
  if (rule instanceof RegExp) return rule.test(value);
  return value.split(",").every((word) => {
    const at = word.indexOf("=");
    const [key, setting] = at < 0 ? [word, ""] : [word.slice(0, at), word.slice(at + 1)];
    return Object.hasOwn(rule, key) && rule[key]?.test(setting) === true && at !== word.length - 1;
  });
}

function expectation(rule: RegExp | Words): string {
  if (rule instanceof RegExp) return `the value must match ${rule.source}`;
  return `the value is a list of ${Object.keys(rule).join(", ")}`;
}

function refusal(found: string, reason: string): DriverError {
  return new DriverError("invalid-argument", `Cannot use mkfsOptions "${found}": ${reason}`);
}
