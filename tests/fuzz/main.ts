import { parseArgs } from "node:util";
import { fuzz } from "./run.ts";

/** `npm run test:fuzz -- [--inputs N] [--first N] [--only TARGET]`: mutated inputs for every reader. */
const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    first: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const report = await fuzz({
  inputs: Number(values.inputs),
  first: Number(values.first),
  only: values.only,
  secondsForInput: 10,
  mostMebibytes: 1500,
  onFailure: ({ target, number, kind, detail }) => {
    process.stderr.write(`${kind} of "${target}" over input ${number}: ${detail}\n`);
  },
  onTarget: (name, inputs, refused) => {
    process.stderr.write(`${name}: ${inputs} inputs, ${refused} refused in words\n`);
  },
});
process.stdout.write(`${JSON.stringify({ ...report, failures: report.failures.length })}\n`);
process.exitCode = report.failures.length === 0 ? 0 : 1;
