/**
 * How long a comparison takes at the size of the study's test set: 39,809 images of 9,000 patients,
 * 8 labels, two runs, 1,000 bootstrap samples. Run with `node bench/evaluation.ts [SAMPLES]`.
 */
import { compareRuns, type RunToEvaluate } from "../src/main/evaluation/compare.ts";
import { examplePlan, simulateScores } from "../tests/unit/evaluation/simulate.ts";

const samples = Number(process.argv[2] ?? 1000);
const testImages = 39_809;
const { privateScores, referenceScores } = simulateScores({
  patients: 15_000,
  seed: 7,
  privateSeparation: 1.6,
  referenceSeparation: 1.9,
  imagesPerPatient: 4.5,
});

/** All patients before the n-th test image belong to the bench; of the rest none does. */
function atStudyScale(scores: typeof privateScores): typeof privateScores {
  const patients = [...new Set(scores.filter((s) => s.part === "test").map((s) => s.patientId))];
  const chosen = new Set(patients.slice(0, 9_000));
  const validation = scores.filter((score) => score.part === "validation");
  const test = scores.filter((score) => score.part === "test" && chosen.has(score.patientId));
  return [...validation, ...test.slice(0, testImages)];
}

const run = (kind: "private" | "reference", scored: typeof privateScores): RunToEvaluate => ({
  runId: kind,
  kind,
  plan: examplePlan(kind),
  stepsDone: 1500,
  epsilon: kind === "private" ? 7.89 : null,
  scored: atStudyScale(scored),
});
const privateRun = run("private", privateScores);
const referenceRun = run("reference", referenceScores);

const started = performance.now();
const cpuBefore = process.cpuUsage();
const comparison = await compareRuns({
  privateRun,
  referenceRun,
  bootstrapSamples: samples,
});
const cpu = process.cpuUsage(cpuBefore);
const seconds = (performance.now() - started) / 1000;
console.log(
  JSON.stringify({
    samples,
    testPatients: comparison.privateRun?.testPatients,
    testImages: comparison.privateRun?.testImages,
    seconds: Number(seconds.toFixed(2)),
    cpuSeconds: Number(((cpu.user + cpu.system) / 1e6).toFixed(2)),
    peakMebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
    macroAuroc: [comparison.privateRun?.macroAuroc, comparison.referenceRun?.macroAuroc],
  }),
);
