import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../../shared/errors.ts";
import { writeAtomically } from "./whole-file.ts";

export const signingKeyFileName = "signing.key";

/** A signature with all that is needed to check it, but for the trust in the fingerprint. */
export interface Signature {
  readonly algorithm: "Ed25519";
  /** SubjectPublicKeyInfo in DER, base64. */
  readonly publicKey: string;
  /** SHA-256 of that DER, hexadecimal: what two people compare by another way. */
  readonly fingerprint: string;
  /** base64. */
  readonly value: string;
}

/**
 * Signs with the site's Ed25519 key, which lies in the data folder, readable by its owner only, and
 * is made on first use. It proves that the bytes came from whoever holds this folder; it does not
 * prove that the folder's owner is honest.
 *
 * @throws UserError "resource" where the key cannot be read or made
 */
export function signWithSiteKey(dataFolder: string, bytes: Uint8Array): Signature {
  const key = siteKey(join(dataFolder, signingKeyFileName));
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    algorithm: "Ed25519",
    publicKey: publicKey.toString("base64"),
    fingerprint: fingerprintOf(publicKey),
    value: sign(null, bytes, key).toString("base64"),
  };
}

/** Whether a signature is of these bytes, by the public key that it names itself. */
export function isSignatureOf(signature: Signature, bytes: Uint8Array): boolean {
  try {
    const der = Buffer.from(signature.publicKey, "base64");
    if (fingerprintOf(der) !== signature.fingerprint) return false;
    const key = createPublicKey({ key: der, type: "spki", format: "der" });
    return verify(null, bytes, key, Buffer.from(signature.value, "base64"));
  } catch {
    return false;
  }
}

function fingerprintOf(publicKey: Uint8Array): string {
  return createHash("sha256").update(publicKey).digest("hex");
}

function siteKey(file: string): KeyObject {
  try {
    if (!existsSync(file)) {
      const { privateKey } = generateKeyPairSync("ed25519");
      writeAtomically(file, Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })));
    }
    return createPrivateKey(readFileSync(file));
  } catch (thrown) {
    throw new UserError(
      "resource",
      `The signing key ${file} cannot be read or made: ${messageOf(thrown)}. Check the folder's ` +
        "permissions, or put the key back from a backup.",
      { cause: thrown },
    );
  }
}
