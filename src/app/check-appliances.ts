import type { ControllerConfig } from "#config/roles.ts";
import { roomToOpen } from "#controller/emergency.ts";
import { DriverError } from "#domain/errors.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import { silentLog } from "#lib/log.ts";
import type { RouterOsAppliance } from "#routeros/appliance.ts";
import type { ApplianceStatus } from "#routeros/appliance-status.ts";
import { ConfiguredAppliances } from "./appliances.ts";
import { type CheckedPart, type Finding, ok, problem, warning } from "./finding.ts";

/** Connects to every appliance of the configuration and looks at it; changes nothing there. */
export async function checkAppliances(
  config: ControllerConfig,
  ctx: Context,
): Promise<CheckedPart[]> {
  await using appliances = await ConfiguredAppliances.open(config, silentLog);
  return await Promise.all(appliances.all().map((appliance) => checkAppliance(appliance, ctx)));
}

async function checkAppliance(appliance: RouterOsAppliance, ctx: Context): Promise<CheckedPart> {
  const byDefault = appliance.idPrefix === undefined ? ", the default" : "";
  const title = `Appliance "${appliance.name}"${byDefault}`;
  try {
    const status = await appliance.status(ctx);
    const { volumes } = await appliance.volumes.survey(ctx);
    const halted = volumes.filter(({ tag }) => tag.halted).length;
    return { title, findings: findingsOf(appliance, status, halted) };
  } catch (error) {
    if (error instanceof DriverError) return { title, findings: [problem(error.message)] };
    throw error;
  }
}

/** @param halted - Volumes whose exports were taken off because the pool ran full. */
function findingsOf(
  appliance: RouterOsAppliance,
  status: ApplianceStatus,
  halted: number,
): Finding[] {
  const { version, board, identity, storagePackage, warnings } = status;
  const { addresses, port } = appliance.data;
  return [
    ok(`RouterOS ${version} on ${board} "${identity}"${uptime(status)}`),
    ok(`Package "${storagePackage}" is installed and knows NVMe/TCP targets`),
    ok("The user may read, write and test"),
    poolFinding(appliance, status, halted),
    ok(`Nodes are told to connect to ${addresses.join(", ")} port ${port}`),
    ...warnings.map(warning),
  ];
}

function uptime({ uptimeSeconds }: ApplianceStatus): string {
  if (uptimeSeconds === undefined) return "";
  const hours = Math.floor(uptimeSeconds / 3_600);
  return hours < 48 ? `, up ${hours} h` : `, up ${Math.floor(hours / 24)} days`;
}

function poolFinding(
  { limits }: RouterOsAppliance,
  { pool }: ApplianceStatus,
  halted: number,
): Finding {
  const { mountPoint, fs, sizeBytes, freeBytes } = pool;
  const is = `Pool "${mountPoint}" is ${fs}`;
  if (sizeBytes === 0)
    return problem(`${is}, and the appliance does not tell how much of it is free`);
  const text = `${is}, ${formatBytes(freeBytes)} of ${formatBytes(sizeBytes)} free`;
  const opening = `until ${roomToOpen(limits)} of it is free`;
  if (halted > 0) return problem(`${text}: volumes wait ${opening}, ${halted} of them`);
  const below = (share: number) => formatBytes(Math.ceil(sizeBytes * share));
  if (freeBytes < sizeBytes * limits.emergency)
    return problem(
      `${text}: that is below the emergency mark of ${below(limits.emergency)}, where the controller takes its exports off ${opening}`,
    );
  if (freeBytes > sizeBytes * limits.reserve) return ok(text);
  return warning(
    `${text}: that is below the reserve of ${below(limits.reserve)}, new volumes are refused`,
  );
}
