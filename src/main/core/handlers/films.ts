import { existsSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { UserError } from "../../../shared/errors.ts";
import { archiveAbove } from "../../dicom/archive.ts";
import { exportDeidentified } from "../../intake/export-deidentified.ts";
import { decideReview, undoReview, type ReviewTask } from "../../intake/review.ts";
import { cohortSummary } from "../../store/cohorts.ts";
import { quarantineCounts, quarantinePage } from "../../store/quarantine.ts";
import {
  originalsOf,
  reidentificationState,
  turnOffReidentification,
  turnOnReidentification,
} from "../../store/reidentification.ts";
import { reviewCounts, reviewItem, reviewQueue, setReviewPolicy } from "../../store/reviews.ts";
import { asideGroups, takeBack, undoStatusChange } from "../../store/status-changes.ts";
import type { CoreContext } from "../context.ts";
import { runIntake } from "./intake.ts";
import type { Handlers } from "./types.ts";
import type { filmProcedures } from "../../../shared/contract/films.ts";

export function filmHandlers(context: CoreContext): Handlers<keyof typeof filmProcedures> {
  const { database, dataFolder, identity, jobs } = context;
  const task = (imageId: number): ReviewTask => ({
    database,
    dataFolder,
    identity,
    imageId,
    reader: userInfo().username,
  });
  const changed = (cohortId: number) => context.emit("cohort:changed", { cohortId });
  const reviewed = (imageId: number) => {
    const { cohortId, ...item } = reviewItem(database, imageId);
    changed(cohortId);
    return item;
  };
  return {
    "review:queue": (query) => reviewQueue(database, query),
    "review:counts": ({ cohortId }) => reviewCounts(database, cohortId),
    "review:decide": async ({ imageId, decision, regions }) => {
      await decideReview(task(imageId), decision, regions);
      return reviewed(imageId);
    },
    "review:undo": async ({ imageId }) => {
      await undoReview(task(imageId));
      return reviewed(imageId);
    },
    "review:policy": ({ cohortId, policy }) => {
      setReviewPolicy(database, cohortId, policy);
      changed(cohortId);
      return reviewCounts(database, cohortId);
    },
    "aside:groups": ({ cohortId }) => asideGroups(database, cohortId),
    "aside:take-back": ({ cohortId, code, knowingly }) => {
      const change = takeBack(database, cohortId, code, knowingly);
      changed(cohortId);
      return change;
    },
    "aside:undo": ({ changeId }) => {
      const undone = undoStatusChange(database, changeId);
      changed(undone.cohortId);
      return { changed: undone.changed };
    },
    "quarantine:list": ({ cohortId, code, offset, limit }) => {
      const counts = quarantineCounts(database, cohortId);
      return {
        counts,
        total: counts
          .filter((count) => code === null || count.code === code)
          .reduce((sum, { files }) => sum + files, 0),
        rows: quarantinePage(database, identity, { cohortId, code, offset, limit }),
      };
    },
    "quarantine:retry": (choice) => {
      const files = quarantinePage(database, identity, choice);
      if (files.length === 0) throw new UserError("not-found", "No such file is in quarantine.");
      const paths = [...new Set(files.map(({ path }) => archiveAbove(path) ?? path))].filter(
        (path) => existsSync(path),
      );
      if (paths.length === 0) {
        throw new UserError(
          "not-found",
          files.length === 1
            ? "The file is no longer where it was. Put it back, or import it from its new place."
            : "None of the files is where it was. Put them back, or import their new folder.",
        );
      }
      const jobId = jobs.start(
        { kind: "intake", cohortId: choice.cohortId, phase: "Trying again", unit: "files" },
        (control) => runIntake(context, choice.cohortId, paths, control, null, true),
      );
      return { jobId };
    },
    "quarantine:export": ({ cohortId, file }) => {
      const rows = quarantinePage(database, identity, { cohortId, code: null });
      writeFileSync(file, quarantineCsv(rows), { mode: 0o600 });
      return { file, files: rows.length };
    },
    "films:export-deidentified": ({ cohortId, ...choices }) => {
      cohortSummary(database, cohortId);
      const jobId = jobs.start(
        { kind: "deidentify", cohortId, phase: "Writing de-identified copies", unit: "films" },
        (control) =>
          exportDeidentified({
            database,
            identity,
            cohortId,
            ...choices,
            signal: control.signal,
            whileRunning: control.whileRunning,
            onProgress: (done, total) => control.report({ done, total }),
          }),
      );
      return { jobId };
    },
    "reidentification:state": () => reidentificationState(database),
    "reidentification:turn-on": ({ passphrase }) => {
      turnOnReidentification(database, passphrase);
      return reidentificationState(database);
    },
    "reidentification:turn-off": () => {
      turnOffReidentification(database);
      return reidentificationState(database);
    },
    "reidentification:look-up": ({ passphrase, pseudonym }) => [
      ...originalsOf(database, passphrase, pseudonym),
    ],
  };
}

/** The list as a table (RFC 4180). It names paths, in which patients' names can stand. */
function quarantineCsv(
  rows: readonly {
    readonly path: string;
    readonly code: string;
    readonly reason: string;
    readonly recordedAt: string;
  }[],
): string {
  const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [
    ["path", "code", "reason", "recorded at"],
    ...rows.map(({ path, code, reason, recordedAt }) => [path, code, reason, recordedAt]),
  ]
    .map((row) => `${row.map(cell).join(",")}\r\n`)
    .join("");
}
