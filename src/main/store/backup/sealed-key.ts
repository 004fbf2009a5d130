import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import { UserError } from "../../../shared/errors.ts";

const version = 1;
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
/** scrypt (RFC 7914) with 128 MiB: a guess costs about half a second of one core. */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 } as const;
/** Shorter ones can be guessed however slow the guessing is. */
const shortestPassphrase = 12;

/**
 * Encrypts the site key with a passphrase (scrypt, AES-256-GCM).
 *
 * @throws UserError "input" where the passphrase is shorter than 12 characters.
 */
export function sealKey(key: Uint8Array, passphrase: string): Buffer {
  if (passphrase.length < shortestPassphrase) {
    throw new UserError(
      "input",
      `The passphrase must have at least ${shortestPassphrase} characters.`,
    );
  }
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", derive(passphrase, salt), nonce);
  const body = Buffer.concat([cipher.update(key), cipher.final()]);
  return Buffer.concat([Buffer.from([version]), salt, nonce, cipher.getAuthTag(), body]);
}

/** @throws UserError "input" where the passphrase is not the one, or the bytes were changed. */
export function openKey(sealed: Uint8Array, passphrase: string): Buffer {
  const salt = sealed.subarray(1, 1 + saltBytes);
  const nonce = sealed.subarray(1 + saltBytes, 1 + saltBytes + nonceBytes);
  const tagAt = 1 + saltBytes + nonceBytes;
  const refuse = (cause?: unknown): UserError =>
    new UserError(
      "input",
      "The passphrase does not open the site key of this backup. Check it and try again; or " +
        "restore without the key.",
      { cause },
    );
  if (sealed[0] !== version || sealed.length <= tagAt + tagBytes) throw refuse();
  try {
    const decipher = createDecipheriv("aes-256-gcm", derive(passphrase, salt), nonce, {
      authTagLength: tagBytes,
    });
    decipher.setAuthTag(sealed.subarray(tagAt, tagAt + tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(tagAt + tagBytes)), decipher.final()]);
  } catch (thrown) {
    throw refuse(thrown);
  }
}

function derive(passphrase: string, salt: Uint8Array): Buffer {
  return scryptSync(passphrase.normalize("NFC"), salt, 32, cost);
}
