import type { ApplianceConfig } from "#config/config.ts";
import { readPrivateKey } from "#config/private-key.ts";
import type { ControllerConfig } from "#config/roles.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import type { Log } from "#lib/log.ts";
import { RouterOsAppliance } from "#routeros/appliance.ts";

/** The appliances of the configuration, by their names. They connect at first use. */
export class ConfiguredAppliances implements Appliances, AsyncDisposable {
  readonly #byName: ReadonlyMap<string, RouterOsAppliance>;
  readonly #default: string;

  /** @throws {ConfigError} for a private key that cannot be read. */
  static async open(config: ControllerConfig, log: Log): Promise<ConfiguredAppliances> {
    const byName = new Map<string, RouterOsAppliance>();
    for (const [name, settings] of config.appliances)
      byName.set(name, await openAppliance(name, settings, { config, log }));
    return new ConfiguredAppliances(byName, config.defaultAppliance);
  }

  private constructor(byName: ReadonlyMap<string, RouterOsAppliance>, defaultName: string) {
    this.#byName = byName;
    this.#default = defaultName;
  }

  find(name: string | undefined): RouterOsAppliance | undefined {
    return this.#byName.get(name ?? this.#default);
  }

  all(): readonly RouterOsAppliance[] {
    return [...this.#byName.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all().map((appliance) => appliance[Symbol.asyncDispose]()));
  }
}

interface Surroundings {
  readonly config: ControllerConfig;
  readonly log: Log;
}

async function openAppliance(
  name: string,
  settings: ApplianceConfig,
  { config, log }: Surroundings,
): Promise<RouterOsAppliance> {
  const setting = `appliances.${name}.privateKeyFile`;
  const { key, warnings } = await readPrivateKey(settings.privateKeyFile, setting);
  for (const warning of warnings) log.warn({ appliance: name, warning }, "Private key in the open");
  const { timeouts, queue, privateKeyFile: _, ...rest } = settings;
  return new RouterOsAppliance({
    ...rest,
    name,
    idPrefix: name === config.defaultAppliance ? undefined : name,
    privateKey: key,
    clusterId: config.clusterId,
    connectTimeoutMs: timeouts.connect,
    commandTimeoutMs: timeouts.command,
    queueLength: queue,
  });
}
