import { setTimeout as sleep } from "node:timers/promises";
import { ConsoleError } from "#sim/console/console-error.ts";
import type { MenuTree, Version } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import { type BackEnd, StoreError } from "./back-end.ts";
import { Disks } from "./disks.ts";
import { exportedImage } from "./export.ts";
import type { FileSystem } from "./file-system.ts";
import { Initiators } from "./initiators.ts";
import { hostZone } from "./local-time.ts";
import type { Machine, Names } from "./machine.ts";
import { type Menus, menusOf, UserMenuTree } from "./menu-tree.ts";
import { trafficCounters } from "./monitor-traffic.ts";
import { Numbering } from "./numbering.ts";
import type { Policy } from "./policies.ts";
import { createPool, type PoolOptions } from "./pool.ts";
import { type Configuration, restoreConfiguration, saveConfiguration } from "./saved-state.ts";
import { SerialQueue } from "./serial-queue.ts";
import type { StateFile } from "./state-file.ts";
import type { Switches } from "./switches.ts";
import { parseVersion } from "./version.ts";

export interface ApplianceOptions {
  /** As RouterOS prints it: `7.24.1 (stable)`. */
  readonly version: string;
  readonly storagePackage: boolean;
  /** Name of a new appliance; a restored one keeps its own. */
  readonly identity: string;
  /** Pools that are made when the state has none of that mount point. */
  readonly pools: readonly PoolOptions[];
  readonly switches: Switches;
  readonly backEnd: BackEnd;
  /** Where the state survives a restart; without it nothing does. */
  readonly stateFile: StateFile | undefined;
}

/** The state of a ROSE Data Server and what acts on it. Knows nothing of SSH. */
export class Appliance implements Machine, AsyncDisposable {
  readonly version: Version;
  readonly versionText: string;
  readonly hasStoragePackage: boolean;
  readonly switches: Switches;
  readonly backEnd: BackEnd;
  readonly initiators: Initiators;
  readonly names: Names;
  readonly numbering: Numbering;
  readonly disks: Disks;
  readonly fileSystems: ReadonlyMap<string, FileSystem>;
  readonly shown = new Map<string, ReadonlyMap<string, Value>>();
  readonly traffic = new Map<string, ReadonlyMap<string, number>>();
  readonly #configuration: Configuration;
  readonly #menus: Menus;
  readonly #stateFile: StateFile | undefined;
  readonly #changes = new SerialQueue();
  readonly #ended = new AbortController();
  #unsaved = false;
  #bootedAt = new Date();

  /** Restores or makes the appliance and brings its exports up. */
  static async start(options: ApplianceOptions): Promise<Appliance> {
    const saved = await options.stateFile?.load();
    const configuration =
      saved === undefined ? newConfiguration(options.identity) : restoreConfiguration(saved);
    const appliance = new Appliance(options, configuration);
    await appliance.#addPools(options.pools);
    await appliance.#exportAll();
    await appliance.save();
    return appliance;
  }

  private constructor(options: ApplianceOptions, configuration: Configuration) {
    this.version = parseVersion(options.version);
    this.versionText = options.version;
    this.hasStoragePackage = options.storagePackage;
    this.switches = options.switches;
    this.backEnd = options.backEnd;
    this.initiators = new Initiators(options.switches);
    this.names = configuration.names;
    this.numbering = configuration.numbering;
    this.disks = configuration.disks;
    this.fileSystems = configuration.fileSystems;
    this.#configuration = configuration;
    this.#stateFile = options.stateFile;
    this.#menus = menusOf(this);
  }

  get bootedAt(): Date {
    return this.#bootedAt;
  }

  /** The console's view for a user with these policies. */
  menuTree(policies: ReadonlySet<Policy>): MenuTree {
    return new UserMenuTree(this.#menus, this.version, policies);
  }

  change<T>(task: () => Promise<T>): Promise<T> {
    return this.#changes.run(async () => {
      this.#unsaved = true;
      try {
        return await task();
      } catch (error) {
        if (error instanceof StoreError) throw new ConsoleError("run-time", error.message);
        throw error;
      }
    });
  }

  /** Saves what has changed since the last time; called after each command line. */
  save(): Promise<void> {
    if (!this.#unsaved || this.#stateFile === undefined) return Promise.resolve();
    return this.#changes.run(async () => {
      if (!this.#unsaved) return;
      this.#unsaved = false;
      await this.#stateFile?.save(saveConfiguration(this.#configuration));
    });
  }

  async pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    await sleep(milliseconds, undefined, { signal: this.#ended.signal }).catch(() => undefined);
  }

  /** All exports break; configuration and files stay. */
  powerOff(): Promise<void> {
    return this.#changes.run(() => this.backEnd.fabric.replaceAll([]));
  }

  /** Brings the exports back, and the uptime starts anew. */
  powerOn(): Promise<void> {
    this.#bootedAt = new Date();
    return this.#changes.run(() => this.#exportAll());
  }

  /**
   * Takes space of a pool away, as other users of the appliance do.
   * @throws {Error} for an unknown mount point.
   */
  occupy(mountPoint: string, bytes: number): void {
    const fileSystem = this.fileSystems.get(mountPoint);
    if (fileSystem === undefined) throw new Error(`Cannot occupy "${mountPoint}": not mounted`);
    fileSystem.foreignBytes = bytes;
  }

  /** Shows values in place of the real ones of a `/disk` item: a failed member, a hot drive. */
  show(slot: string, values: Readonly<Record<string, Value>>): void {
    this.shown.set(slot, new Map(Object.entries(values)));
  }

  /**
   * Sets what `monitor-traffic` reports of a disk; times in milliseconds, rates in bits per second.
   * @throws {Error} for a counter that RouterOS does not have.
   */
  recordTraffic(slot: string, counters: Readonly<Record<string, number>>): void {
    const unknown = Object.keys(counters).find((name) => !trafficCounters.has(name));
    if (unknown !== undefined) throw new Error(`Cannot record traffic: no counter "${unknown}"`);
    this.traffic.set(slot, new Map(Object.entries(counters)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.save();
  }

  async #addPools(pools: readonly PoolOptions[]): Promise<void> {
    for (const options of pools) {
      const known = this.fileSystems.has(options.mountPoint);
      if (!known) this.#addPool(options);
      await this.backEnd.files.makeDirectory(options.mountPoint);
    }
  }

  #addPool(options: PoolOptions): void {
    const drives = [...this.disks.all].filter(({ type }) => type === "hardware").length;
    const { fileSystem, disks } = createPool(options, this.numbering, drives);
    this.#configuration.fileSystems.set(options.mountPoint, fileSystem);
    for (const disk of disks) this.disks.put(disk);
    this.#unsaved = true;
  }

  async #exportAll(): Promise<void> {
    const images = [...this.disks.all].map(exportedImage).filter((image) => image !== undefined);
    await this.backEnd.fabric.replaceAll(images);
    for (const image of images) this.initiators.published(image);
  }
}

function newConfiguration(identity: string): Configuration {
  const names = {
    identity,
    autoSmbSharing: false,
    autoMediaSharing: false,
    autoMediaInterface: "none",
    timeZone: hostZone(),
  };
  return { names, numbering: new Numbering(), disks: new Disks(), fileSystems: new Map() };
}
