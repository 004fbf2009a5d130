/** What of a weights file a run starts from. */
export interface StartingWeights {
  /** Its bare name. */
  readonly file: string;
  readonly sha256: string;
  /** Values taken, of all that the network has. */
  readonly values: number;
  readonly parameterCount: number;
  /** Tensors taken. */
  readonly matched: number;
  /** Of those, three colour channels summed into a grey one. */
  readonly folded: readonly string[];
  /** Parameters that the file lacks: they start at random. */
  readonly missing: readonly string[];
  /** The head's parameters, where the file's were trained for other labels: they start at random. */
  readonly foreignHead?: readonly string[];
  /** Tensors that the network has no place for. */
  readonly unused: readonly string[];
  /** Same name, other shape, such as a head of another size: they start at random. */
  readonly mismatched: readonly {
    readonly name: string;
    readonly expected: readonly number[];
    readonly found: readonly number[];
  }[];
  /** What the file says of its own privacy; null where it says nothing. */
  readonly privacy: string | null;
}

/** The report in sentences, for the screen and the command line alike. */
export function startingWeightsInWords(report: StartingWeights): string[] {
  const share = Math.floor((100 * report.values) / report.parameterCount);
  const names = (list: readonly string[]): string =>
    list.length <= 3
      ? list.join(", ")
      : `${list.slice(0, 3).join(", ")} and ${list.length - 3} more`;
  return [
    `${report.matched} tensors of ${report.file} are taken: ${share} % of the network's weights.`,
    report.folded.length === 0
      ? ""
      : `Three colour channels are summed into a grey one: ${names(report.folded)}.`,
    report.mismatched.length === 0
      ? ""
      : `Of another shape, so left at their random start: ${names(
          report.mismatched.map(
            ({ name, expected, found }) =>
              `${name} (${found.join(" × ")} in the file, ${expected.join(" × ")} here)`,
          ),
        )}.`,
    report.foreignHead === undefined
      ? ""
      : `Trained for other labels, so left at their random start: ${names(report.foreignHead)}.`,
    report.missing.length === 0
      ? ""
      : `Not in the file, so left at their random start: ${names(report.missing)}.`,
    report.unused.length === 0 ? "" : `In the file without a place here: ${names(report.unused)}.`,
    report.privacy === null ? "" : `The file says of itself: ${report.privacy}.`,
  ].filter((line) => line !== "");
}
