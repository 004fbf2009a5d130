import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  scryptSync,
  type KeyObject,
} from "node:crypto";
import { UserError } from "../../shared/errors.ts";
import { now, transaction, type Database } from "./database.ts";

/** What a row of the table leads back to. */
export type OriginalKind = "patient" | "study";

const nonceBytes = 12;
const tagBytes = 16;
const publicKeyBytes = 44;
/** scrypt as RFC 7914 advises for keys that protect files: about a second on a workstation. */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
export const shortestPassphrase = 12;

export interface ReidentificationState {
  readonly on: boolean;
  readonly since: string | null;
  readonly rows: number;
}

export function reidentificationState(database: Database): ReidentificationState {
  const since = database.prepare("SELECT created_at FROM reidentification_key").pluck().get() as
    string | undefined;
  const rows = database.prepare("SELECT count(*) FROM reidentification").pluck().get() as number;
  return { on: since !== undefined, since: since ?? null, rows };
}

/**
 * Turns the table on. Intake seals originals to a public key (X25519, HKDF-SHA-256, AES-256-GCM),
 * so that it needs no passphrase; the private key is sealed by one (scrypt), which is kept nowhere.
 * Only films that are imported from now on enter the table.
 *
 * @throws UserError "conflict" where it is on, "input" where the passphrase is too short.
 */
export function turnOnReidentification(database: Database, passphrase: string): void {
  if (passphrase.length < shortestPassphrase) {
    throw new UserError(
      "input",
      `The passphrase needs at least ${shortestPassphrase} characters: whoever guesses it can ` +
        "name every patient.",
    );
  }
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const salt = randomBytes(16);
  const sealed = encrypt(
    privateKey.export({ type: "pkcs8", format: "der" }),
    keyFromPassphrase(passphrase, salt),
  );
  transaction(database, () => {
    if (reidentificationState(database).on) {
      throw new UserError("conflict", "The re-identification table is on already.");
    }
    database
      .prepare(
        `INSERT INTO reidentification_key (id, public_key, private_key_sealed, salt, created_at)
         VALUES (1, ?, ?, ?, ?)`,
      )
      .run(publicKey.export({ type: "spki", format: "der" }), sealed, salt, now());
  });
}

/** Turns the table off and deletes it; what it held cannot be had again. */
export function turnOffReidentification(database: Database): void {
  const before = database.pragma("secure_delete", { simple: true });
  // Deleted rows are overwritten in the file, not only unlinked.
  database.pragma("secure_delete = ON");
  transaction(database, () => {
    database.exec("DELETE FROM reidentification; DELETE FROM reidentification_key;");
  });
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.pragma(`secure_delete = ${Number(before)}`);
}

/** Adds originals to the table; null where the site has not turned it on. */
export function originalsWriter(database: Database): {
  add(kind: OriginalKind, pseudonym: string, original: readonly (string | null)[]): void;
} | null {
  const stored = database.prepare("SELECT public_key FROM reidentification_key").pluck().get() as
    Buffer | undefined;
  if (stored === undefined) return null;
  const recipient = createPublicKey({ key: stored, format: "der", type: "spki" });
  const known = database.prepare("SELECT 1 FROM reidentification WHERE kind = ? AND pseudonym = ?");
  const insert = database.prepare(
    "INSERT OR IGNORE INTO reidentification (kind, pseudonym, sealed) VALUES (?, ?, ?)",
  );
  return {
    add(kind, pseudonym, original) {
      if (original[0] == null || known.get(kind, pseudonym) !== undefined) return;
      insert.run(kind, pseudonym, sealTo(recipient, JSON.stringify(original)));
    },
  };
}

export interface Original {
  readonly kind: OriginalKind;
  readonly pseudonym: string;
  /** Patient ID or Study Instance UID. */
  readonly original: string;
  readonly issuer: string | null;
}

/**
 * Whom a pseudonym (or its first eight characters and more) stands for; null gives the whole table.
 *
 * @throws UserError "conflict" where the table is off, "input" where the passphrase is wrong,
 * "not-found" where no row matches.
 */
export function originalsOf(
  database: Database,
  passphrase: string,
  pseudonym: string | null,
): readonly Original[] {
  const key = database
    .prepare("SELECT private_key_sealed AS sealed, salt FROM reidentification_key")
    .get() as { readonly sealed: Buffer; readonly salt: Buffer } | undefined;
  if (key === undefined) {
    throw new UserError(
      "conflict",
      "The re-identification table is off at this site, so pseudonyms lead back to nobody here. " +
        "Turn it on in Settings before films are imported.",
    );
  }
  const privateKey = openPrivateKey(key.sealed, keyFromPassphrase(passphrase, key.salt));
  if (pseudonym !== null && pseudonym.length < 8) {
    throw new UserError("input", "Give at least the first eight characters of the pseudonym.");
  }
  const rows = database
    .prepare("SELECT kind, pseudonym, sealed FROM reidentification WHERE instr(pseudonym, ?) = 1")
    .all(pseudonym ?? "") as { kind: OriginalKind; pseudonym: string; sealed: Buffer }[];
  if (rows.length === 0 && pseudonym !== null) {
    throw new UserError(
      "not-found",
      `The table has no row for ${pseudonym}. It holds only films imported while it was on.`,
    );
  }
  return rows.map(({ kind, pseudonym: own, sealed }) => {
    const [original, issuer] = JSON.parse(openFrom(privateKey, sealed)) as [string, string | null];
    return { kind, pseudonym: own, original, issuer };
  });
}

function openPrivateKey(sealed: Buffer, key: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: decrypt(sealed, key), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new UserError("input", "The passphrase does not open the re-identification table.", {
      cause,
    });
  }
}

function keyFromPassphrase(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase.normalize("NFC"), salt, 32, cost);
}

function sealTo(recipient: KeyObject, text: string): Buffer {
  const own = generateKeyPairSync("x25519");
  const shared = diffieHellman({ privateKey: own.privateKey, publicKey: recipient });
  const publicKey = own.publicKey.export({ type: "spki", format: "der" });
  return Buffer.concat([publicKey, encrypt(Buffer.from(text), rowKey(shared, publicKey))]);
}

function openFrom(privateKey: KeyObject, sealed: Buffer): string {
  const publicKey = sealed.subarray(0, publicKeyBytes);
  const shared = diffieHellman({
    privateKey,
    publicKey: createPublicKey({ key: publicKey, format: "der", type: "spki" }),
  });
  return decrypt(sealed.subarray(publicKeyBytes), rowKey(shared, publicKey)).toString();
}

function rowKey(shared: Buffer, publicKey: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", shared, publicKey, "silhouette/1/reidentification", 32));
}

function encrypt(plain: Buffer, key: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function decrypt(sealed: Buffer, key: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
}
