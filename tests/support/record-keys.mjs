/**
 * Loaded before a trainer (NODE_OPTIONS=--import), also in its threads: appends every key and secret
 * that it draws or derives to the file KEY_RECORD, so that a test can look for them.
 */
import crypto from "node:crypto";
import { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { hkdfSync, randomBytes } = crypto;
const record = (purpose, bytes) => {
  const line = `${purpose} ${Buffer.from(bytes).toString("hex")}\n`;
  appendFileSync(process.env.KEY_RECORD, line);
};

crypto.hkdfSync = (...parameters) => {
  const key = hkdfSync(...parameters);
  record(String(parameters[3]).replaceAll(" ", "-"), key);
  return key;
};
crypto.randomBytes = (...parameters) => {
  const bytes = randomBytes(...parameters);
  if (bytes.length === 32) record("secret", bytes);
  return bytes;
};
syncBuiltinESMExports();
