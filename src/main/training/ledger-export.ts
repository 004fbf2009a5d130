import { z } from "zod";
import type { Ledger, LedgerGap } from "../../shared/domain.ts";
import { messageOf, UserError } from "../../shared/errors.ts";
import { trainingPlanSchema } from "../../shared/plan.ts";
import { epsilonFigure } from "../privacy/figures.ts";
import { gapsIn } from "../privacy/ledger-gaps.ts";
import { chainFindings, type ChainedEntry } from "../privacy/ledger.ts";
import type { SubsampledGaussian } from "../privacy/mechanism.ts";
import { isSignatureOf, signWithSiteKey } from "../store/signing-key.ts";
import { bodyOf } from "./ledger-entries.ts";
import { patientMechanisms } from "./spending.ts";

/** What an export of a ledger holds, beside its signature. No telemetry, no patient, no path. */
export interface LedgerExportContent {
  readonly format: "silhouette-ledger";
  readonly version: 1;
  readonly exportedAt: string;
  readonly application: string;
  readonly cohort: { readonly id: number; readonly name: string };
  readonly ledger: Omit<Ledger, "entries">;
  /** The entries as stored: `body` is the exact text that a hash covers. */
  readonly entries: readonly ChainedEntry[];
}

/**
 * The text of an export: the content in canonical form, and the site's signature of its canonical
 * form. Whoever has the file can check it without the store (`verifyLedgerExport`).
 */
export function ledgerExport(
  dataFolder: string,
  content: LedgerExportContent,
): {
  readonly text: string;
  readonly fingerprint: string;
} {
  const signature = signWithSiteKey(dataFolder, Buffer.from(canonicalJson(content)));
  const text = `${canonicalJson({ content, signature })}\n`;
  return { text, fingerprint: signature.fingerprint };
}

/**
 * JSON with the keys of every object in code-unit order, no space, and numbers and texts as
 * ECMAScript writes them: the form of RFC 8785. Equal values have equal texts.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => canonicalJson(item ?? null)).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}

const exportSchema = z.object({
  content: z.looseObject({
    format: z.literal("silhouette-ledger"),
    version: z.literal(1),
    cohort: z.object({ id: z.number(), name: z.string() }),
    ledger: z.looseObject({
      delta: z.number().nullable(),
      epsilon: z.number().nullable(),
      runs: z.array(z.looseObject({ runId: z.string(), stepsSpent: z.number() })),
    }),
    entries: z.array(
      z.object({
        cohortId: z.number(),
        sequence: z.number(),
        recordedAt: z.string(),
        kind: z.custom<ChainedEntry["kind"]>((kind) => typeof kind === "string"),
        runId: z.string().nullable(),
        body: z.string(),
        previousHash: z.string(),
        hash: z.string(),
      }),
    ),
  }),
  signature: z.object({
    algorithm: z.literal("Ed25519"),
    publicKey: z.string(),
    fingerprint: z.string(),
    value: z.string(),
  }),
});

/** What an offline check of an export found. */
export interface ExportVerification {
  readonly valid: boolean;
  readonly cohort: string;
  readonly entries: number;
  readonly epsilon: number | null;
  readonly delta: number | null;
  /** Of the key that signed, by the file itself: to be compared with what the site says. */
  readonly fingerprint: string;
  /** Where entries were lost, by the entries that say so. */
  readonly gaps: readonly LedgerGap[];
  /** What does not match, naming the entry or run; empty where valid. */
  readonly findings: readonly string[];
}

/**
 * Checks an export without any store: the signature, the chain of entries, and that the stated
 * epsilon follows from the plans in the entries and the steps they say were spent.
 *
 * @throws UserError "input" where the text is no export of a ledger
 */
export function verifyLedgerExport(text: string, file: string): ExportVerification {
  const { content, signature } = parseExport(text, file);
  const { cohort, ledger, entries } = content;
  const chain = chainFindings(cohort.id, entries);
  const isSigned = isSignatureOf(signature, Buffer.from(canonicalJson(content)));
  const findings = [
    ...(isSigned
      ? []
      : ["The signature does not match: the file was changed after it was signed."]),
    ...chain,
    ...figureFindings(ledger, entries),
  ];
  return {
    valid: findings.length === 0,
    cohort: cohort.name,
    entries: entries.length,
    epsilon: ledger.epsilon,
    delta: ledger.delta,
    fingerprint: signature.fingerprint,
    gaps: gapsIn(entries),
    findings,
  };
}

/** Whether the entries of an older export still stand in the ledger, unchanged. */
export function exportStandsIn(
  text: string,
  file: string,
  present: {
    readonly cohortId: number;
    readonly entries: readonly Pick<ChainedEntry, "sequence" | "hash">[];
  },
): string[] {
  const { content } = parseExport(text, file);
  if (content.cohort.id !== present.cohortId) {
    return [`${file} is of another cohort ("${content.cohort.name}").`];
  }
  const hashes = new Map(present.entries.map(({ sequence, hash }) => [sequence, hash]));
  return content.entries.flatMap(({ sequence, hash }) => {
    const now = hashes.get(sequence);
    if (now === hash) return [];
    return now === undefined
      ? [`Ledger entry ${sequence} stands in ${file} and is no longer in the ledger.`]
      : [`Ledger entry ${sequence} is not the one that stands in ${file}.`];
  });
}

type ParsedExport = z.infer<typeof exportSchema>;

function parseExport(text: string, file: string): ParsedExport {
  try {
    return exportSchema.parse(JSON.parse(text));
  } catch (thrown) {
    const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw new UserError("input", `${file} is not an exported ledger: ${reason}`, {
      cause: thrown,
    });
  }
}

function figureFindings(
  ledger: ParsedExport["content"]["ledger"],
  entries: readonly ChainedEntry[],
): string[] {
  if (ledger.delta === null || ledger.epsilon === null) return [];
  const findings: string[] = [];
  const mechanisms: SubsampledGaussian[] = [];
  for (const run of ledger.runs) {
    const ofRun = entries.filter((entry) => entry.runId === run.runId);
    const ended = ofRun.findLast((entry) => entry.kind === "run-ended");
    const steps = ended === undefined ? null : bodyOf(ended.body)["steps"];
    const resumed = ofRun.some(
      (entry) => entry.kind === "run-resumed" && entry.sequence > (ended?.sequence ?? 0),
    );
    if (
      typeof steps === "number" &&
      (resumed ? steps > run.stepsSpent : steps !== run.stepsSpent)
    ) {
      findings.push(
        `Run ${run.runId} is said to have spent ${run.stepsSpent} steps, but ledger entry ` +
          `${ended?.sequence ?? 0} says ${steps}.`,
      );
    }
    const spending = spendingIn(ofRun, run.stepsSpent);
    if (spending !== null) mechanisms.push(...patientMechanisms(spending));
    else if (run.stepsSpent > 0) findings.push(`No entry holds the plan of run ${run.runId}.`);
  }
  const epsilon = epsilonFigure({ mechanisms, delta: ledger.delta });
  if (Math.abs(epsilon - ledger.epsilon) > 1e-6 * epsilon) {
    findings.push(
      `The stated epsilon ${ledger.epsilon} does not follow from the entries, which give ${epsilon}.`,
    );
  }
  return findings;
}

function spendingIn(
  entries: readonly ChainedEntry[],
  stepsSpent: number,
): Parameters<typeof patientMechanisms>[0] | null {
  const bodies = entries
    .filter(({ kind }) => kind === "run-planned" || kind === "run-resumed")
    .map(({ body }) => bodyOf(body));
  const plan = trainingPlanSchema.safeParse(bodies[0]?.["plan"]);
  if (!plan.success) return null;
  const images = (key: string): number =>
    Math.max(1, ...bodies.map((body) => body[key]).filter((value) => typeof value === "number"));
  return {
    plan: plan.data,
    stepsSpent,
    classCountsSpent: entries.some(({ kind }) => kind === "class-counts"),
    mostImagesOfAPatient: images("mostImagesOfAPatient"),
    medianImagesOfAPatient: images("medianImagesOfAPatient"),
  };
}
