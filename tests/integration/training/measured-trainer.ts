import { readFileSync, writeFileSync } from "node:fs";

/**
 * The product's trainer, which writes its highest memory to the file TEST_PEAK_FILE, in KiB, before
 * each message. The process' own record is read, since the figure that `resourceUsage` gives is
 * handed down by the process that started this one.
 */
const peakFile = process.env["TEST_PEAK_FILE"] ?? "";
const send = process.send?.bind(process);
if (send === undefined) throw new Error("A trainer is started by the core.");
process.send = (message: unknown): boolean => {
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  writeFileSync(peakFile, peak ?? "");
  return send(message);
};
await import("../../../src/main/training/trainer-process.ts");
