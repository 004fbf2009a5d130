import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Database } from "./database.ts";

/** What a pseudonym stands for. The same text gives unrelated pseudonyms in different kinds. */
export type PseudonymKind = "patient" | "study" | "series" | "instance" | "path" | "file-name";

/** The site's secret at work. Holds the key in memory only; nothing here writes an identity. */
export interface SiteIdentity {
  /** Without its key: everything below refuses. */
  readonly locked: boolean;
  /**
   * A keyed pseudonym: HMAC-SHA-256, the first 128 bits in hexadecimal. Surrounding space and the
   * Unicode form of the text do not matter (except in paths), its case does.
   */
  pseudonym(kind: PseudonymKind, value: string): string;
  /**
   * The pseudonym of a patient. Equal identifiers of two issuers are two patients; without an
   * issuer it is that of the identifier alone.
   */
  patient(patientId: string, issuer: string | null): string;
  /** A UID in the place of another, under 2.25 (PS3.5 B.2): the same one every time. */
  uid(original: string): string;
  /** An ISO date moved back by a secret number of days, the same for all of a patient's dates. */
  shiftDate(patientPseudonym: string, isoDate: string): string;
  /** A secret number of seconds below a day, for times within a day; the same for a patient. */
  secondOffset(patientPseudonym: string): number;
  /** Encrypts a text that only this site can read again (AES-256-GCM). */
  seal(text: string): Buffer;
  /** @throws Error where the bytes were sealed with another key or changed. */
  open(sealed: Uint8Array): string;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const sealVersion = 1;
/** Dates move back by 1 day to this many. */
const longestShiftDays = 3650;

export const siteKeyFileName = "site.key";

/** Stands in a folder that was restored from a backup without the key. */
export const absentKeyFileName = "site.key.absent";

/**
 * The identity of the data folder's site. The key is 32 bytes from the operating system in a file
 * that only the user may read, made on first use.
 *
 * @throws UserError "conflict" where the store holds data but the key is missing, damaged or
 * another one: new pseudonyms would not match the old ones, and a patient would count twice.
 */
export function openSiteIdentity(dataFolder: string, database: Database): SiteIdentity {
  const file = join(dataFolder, siteKeyFileName);
  const sample = sealedSample(database);
  let key = readKey(file);
  if (key === null) {
    if (existsSync(join(dataFolder, absentKeyFileName))) return lockedIdentity(file);
    if (sample !== null || hasPatients(database)) {
      throw new UserError(
        "conflict",
        `The site key ${file} is missing, but the store holds patients. Put the key back from a ` +
          `backup; without it films of the same patient cannot be recognised.`,
      );
    }
    key = createKey(dataFolder, file);
  }
  const identity = siteIdentity(key);
  if (sample !== null && !canOpen(identity, sample)) {
    throw new UserError(
      "conflict",
      `The site key ${file} is not the one that the store was written with. Put the right key ` +
        `back from a backup.`,
    );
  }
  return identity;
}

/** An identity without its key: all that needs the key says what to do. */
function lockedIdentity(file: string): SiteIdentity {
  const refuse = (): never => {
    throw new UserError(
      "conflict",
      `This data folder was restored without its site key, so films and labels cannot be matched ` +
        `to its patients. Put the site's key at ${file}, then start again.`,
    );
  };
  return {
    locked: true,
    pseudonym: refuse,
    patient: refuse,
    uid: refuse,
    shiftDate: refuse,
    secondOffset: refuse,
    seal: refuse,
    open: refuse,
  };
}

/** The same from a key at hand. */
export function siteIdentity(key: Uint8Array): SiteIdentity {
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync("sha256", key, "", `silhouette/1/${purpose}`, keyBytes));
  const keys = new Map<PseudonymKind, Buffer>();
  const sealKey = derive("seal");
  const shiftKey = derive("date-shift");
  const uidKey = derive("uid");
  const pseudonym: SiteIdentity["pseudonym"] = (kind, value) => {
    let own = keys.get(kind);
    if (own === undefined) {
      own = derive(`pseudonym/${kind}`);
      keys.set(kind, own);
    }
    // A path is what the file system says it is; two that look alike can be two files.
    const text = kind === "path" ? value : value.trim().normalize("NFC");
    return createHmac("sha256", own).update(text).digest("hex").slice(0, 32);
  };
  return {
    locked: false,
    pseudonym,
    patient(patientId, issuer) {
      const trimmed = patientId.trim();
      // No identifier holds the separator: DICOM's text has no control characters.
      return pseudonym(
        "patient",
        issuer === null || issuer.trim() === "" ? trimmed : `${issuer.trim()}\u001f${trimmed}`,
      );
    },
    uid(original) {
      const digest = createHmac("sha256", uidKey).update(original.trim()).digest();
      // The form of a version 8 UUID (RFC 9562), whose bits are the maker's own.
      digest[6] = 0x80 | ((digest[6] ?? 0) & 0x0f);
      digest[8] = 0x80 | ((digest[8] ?? 0) & 0x3f);
      return `2.25.${BigInt(`0x${digest.subarray(0, 16).toString("hex")}`)}`;
    },
    shiftDate(patientPseudonym, isoDate) {
      const digest = createHmac("sha256", shiftKey).update(patientPseudonym).digest();
      const days = 1 + (digest.readUInt32BE(0) % longestShiftDays);
      return new Date(Date.parse(isoDate) - days * 86_400_000).toISOString().slice(0, 10);
    },
    secondOffset(patientPseudonym) {
      const digest = createHmac("sha256", shiftKey).update(`second ${patientPseudonym}`).digest();
      return digest.readUInt32BE(0) % 86_400;
    },
    seal(text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", sealKey, nonce);
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.from([sealVersion]), nonce, cipher.getAuthTag(), body]);
    },
    open(sealed) {
      if (sealed[0] !== sealVersion || sealed.length < 1 + nonceBytes + tagBytes) {
        throw new Error("The sealed text has an unknown form.");
      }
      const nonce = sealed.subarray(1, 1 + nonceBytes);
      const decipher = createDecipheriv("aes-256-gcm", sealKey, nonce, { authTagLength: tagBytes });
      decipher.setAuthTag(sealed.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes));
      const body = decipher.update(sealed.subarray(1 + nonceBytes + tagBytes));
      return Buffer.concat([body, decipher.final()]).toString("utf8");
    },
  };
}

function readKey(file: string): Buffer | null {
  let key: Buffer;
  try {
    key = readFileSync(file);
  } catch (thrown) {
    if (isSystemError(thrown, "ENOENT")) return null;
    throw new UserError("resource", `The site key ${file} cannot be read. Check who owns it.`, {
      cause: thrown,
    });
  }
  if (key.length !== keyBytes) {
    throw new UserError("conflict", `The site key ${file} is damaged. Restore it from a backup.`);
  }
  return key;
}

/** Writes aside and links into place, so that of two processes one wins and both read its key. */
function createKey(dataFolder: string, file: string): Buffer {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const aside = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const handle = openSync(aside, "wx", 0o600);
  try {
    writeSync(handle, randomBytes(keyBytes));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    linkSync(aside, file);
  } catch (thrown) {
    if (!isSystemError(thrown, "EEXIST")) throw thrown;
  } finally {
    rmSync(aside);
  }
  syncFolder(dataFolder);
  const key = readKey(file);
  if (key === null) throw new UserError("resource", `The site key ${file} could not be written.`);
  return key;
}

/** Makes a new name in a folder survive a power cut; Windows does this by itself. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function isSystemError(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === code;
}

function sealedSample(database: Database): Uint8Array | null {
  const row = database.prepare("SELECT path_sealed AS sealed FROM source_file LIMIT 1").get() as
    { readonly sealed: Uint8Array } | undefined;
  return row?.sealed ?? null;
}

function hasPatients(database: Database): boolean {
  return database.prepare("SELECT 1 FROM patient LIMIT 1").get() !== undefined;
}

function canOpen(identity: SiteIdentity, sealed: Uint8Array): boolean {
  try {
    identity.open(sealed);
    return true;
  } catch {
    return false;
  }
}
