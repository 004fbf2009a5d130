import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import SQLite from "better-sqlite3";
import { UserError } from "../../shared/errors.ts";
import { migrations } from "./migrations/index.ts";

export type Database = SQLite.Database;

/**
 * Opens the store, creating or migrating it. WAL with full synchronisation: a committed row
 * survives a power cut. Several processes may have it open; writers wait for each other.
 *
 * @throws UserError "conflict" where a newer version of the program wrote the store.
 */
export function openDatabase(file: string): Database {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new SQLite(file, { timeout: 10_000 });
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  migrate(database, file);
  return database;
}

function migrate(database: Database, file: string): void {
  const newest = migrations.length;
  const apply = database.transaction(() => {
    const present = database.pragma("user_version", { simple: true }) as number;
    if (present > newest) {
      throw new UserError(
        "conflict",
        `The store ${file} was written by a newer version of Silhouette (schema ${present}, ` +
          `this version knows ${newest}). Install that version, or choose another data folder.`,
      );
    }
    for (const [index, sql] of migrations.entries()) {
      if (index < present) continue;
      database.exec(sql);
      database.pragma(`user_version = ${index + 1}`);
    }
  });
  apply.immediate();
}

/**
 * Runs `body` in one write transaction: all of it is committed, or nothing.
 *
 * @throws UserError "resource" where the disk is full.
 */
export function transaction<T>(database: Database, body: () => T): T {
  try {
    return database.transaction(body).immediate();
  } catch (thrown) {
    if (!(thrown instanceof SQLite.SqliteError) || thrown.code !== "SQLITE_FULL") throw thrown;
    throw diskIsFull(dirname(database.name), thrown);
  }
}

/** What is told of a disk that has no room for what is to be kept in `folder`. */
export function diskIsFull(folder: string, cause: unknown): UserError {
  return new UserError(
    "resource",
    `The disk of ${folder} is full. Free some space or choose another data folder, then try ` +
      `again: what was finished before stays.`,
    { cause },
  );
}

/** The present moment as stored. */
export function now(): string {
  return new Date().toISOString();
}
