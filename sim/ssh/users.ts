import ssh2, { type ParsedKey, type PublicKeyAuthContext } from "ssh2";
import type { Policy } from "#sim/appliance/policies.ts";

export interface UserOptions {
  readonly name: string;
  readonly policies: readonly Policy[];
  /** `ssh-ed25519 AAAA… comment`, one key each; a user with none gets the simulator's own key. */
  readonly publicKeys: readonly string[];
}

export interface User {
  readonly name: string;
  readonly policies: ReadonlySet<Policy>;
  readonly keys: readonly ParsedKey[];
}

/** RouterOS takes RSA and ed25519 keys and refuses ECDSA (observed on CHR, 7.11 to 7.23). */
const acceptedTypes = new Set(["ssh-rsa", "ssh-ed25519"]);

/** The accounts of the appliance. Only public keys are accepted; login parameters are ignored. */
export class Users {
  /** While set, every login fails: a deleted user, a changed key. */
  rejectAll = false;
  readonly #users: ReadonlyMap<string, User>;

  /** @throws {Error} naming the user whose key cannot be used. */
  constructor(options: readonly UserOptions[]) {
    this.#users = new Map(options.map((user) => [user.name, userFrom(user)]));
  }

  /**
   * @returns The user when the key is one of theirs, its signature (where given) is right, and their
   * policies include `ssh`.
   */
  authenticate(context: PublicKeyAuthContext): User | undefined {
    const [name = ""] = context.username.split("+", 1);
    const user = this.#users.get(name);
    if (this.rejectAll || user === undefined || !user.policies.has("ssh")) return undefined;
    const key = user.keys.find((known) => known.getPublicSSH().equals(context.key.data));
    if (key === undefined) return undefined;
    if (context.signature === undefined) return user;
    if (context.blob === undefined) return undefined;
    const valid = key.verify(context.blob, context.signature, context.hashAlgo);
    return valid === true ? user : undefined;
  }
}

function userFrom({ name, policies, publicKeys }: UserOptions): User {
  return { name, policies: new Set(policies), keys: publicKeys.map((text) => keyFrom(text, name)) };
}

function keyFrom(text: string, user: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error || !acceptedTypes.has(key.type))
    throw new Error(
      `Cannot use key of user "${user}": unable to load key file (wrong format or bad passphrase)!`,
    );
  return key;
}
