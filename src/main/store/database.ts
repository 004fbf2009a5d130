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

/** Runs `body` in one write transaction: all of it is committed, or nothing. */
export function transaction<T>(database: Database, body: () => T): T {
  return database.transaction(body).immediate();
}

/** The present moment as stored. */
export function now(): string {
  return new Date().toISOString();
}
