import ssh2 from "ssh2";

export interface KeyPair {
  /** OpenSSH private key, PEM. */
  readonly private: string;
  /** `ssh-ed25519 AAAA… comment`. */
  readonly public: string;
}

/**
 * Makes a key pair. ssh2 1.17 cuts leading zero bytes off ed25519 public keys, so that one pair in 256
 * cannot be read by anybody; such a pair is thrown away.
 */
export function generateKeyPair(type: "ed25519" | "rsa", comment: string): KeyPair {
  const make = (): KeyPair =>
    type === "rsa"
      ? ssh2.utils.generateKeyPairSync("rsa", { bits: 2048, comment })
      : ssh2.utils.generateKeyPairSync("ed25519", { comment });
  let pair = make();
  while (!isReadable(pair)) pair = make();
  return pair;
}

function isReadable(pair: KeyPair): boolean {
  return [pair.private, pair.public].every((text) => !(ssh2.utils.parseKey(text) instanceof Error));
}
