import type { Simulator } from "./simulator.ts";

/** What an operator needs to use a simulator that has just started, ready to be pasted. */
export function simulatorGreeting(simulator: Simulator): string {
  const { options, port, hostKeys, clientKey } = simulator;
  const names = options.users.map(({ name }) => name).join(", ");
  const [user = "csi"] = options.users.map(({ name }) => name);
  const pools = options.pools.map(({ mountPoint }) => mountPoint).join(", ");
  const ssh = sshCommand(simulator, user);
  return [
    `Simulated RouterOS ${options.version} with the pools ${pools}`,
    `Address      ${options.host} port ${port}`,
    `Users        ${names}`,
    ...hostKeys.map(({ type, fingerprint }) => `Host key     ${fingerprint} (${type})`),
    ...privateKeyLines(clientKey),
    `State        ${options.stateDirectory ?? "none: everything is gone when the simulator ends"}`,
    "",
    "Try",
    `  ${ssh} '/disk print'`,
    `  ${ssh} '/file add name=${options.pools[0]?.mountPoint ?? "pool"}/demo type=directory'`,
    "",
  ].join("\n");
}

function sshCommand({ options, port, clientKey }: Simulator, user: string): string {
  const identity = clientKey?.file === undefined ? "" : ` -i ${clientKey.file}`;
  return `ssh -p ${port}${identity} ${user}@${options.host}`;
}

/** A key that is kept nowhere is shown: it opens nothing but this simulator while it runs. */
function privateKeyLines(key: Simulator["clientKey"]): readonly string[] {
  if (key === undefined) return [];
  if (key.file !== undefined) return [`Client key   ${key.file}`];
  return [
    "Client key   (save it with mode 0600 and pass it with ssh -i)",
    key.privateKey.trimEnd(),
  ];
}
