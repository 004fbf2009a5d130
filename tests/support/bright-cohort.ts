import { createCohort } from "../../src/main/store/cohorts.ts";
import { transaction, type Database } from "../../src/main/store/database.ts";
import { FrameWriter } from "../../src/main/store/image-cache.ts";
import { imageRepository } from "../../src/main/store/images.ts";
import { labelWriter } from "../../src/main/store/labels.ts";
import { createSplit } from "../../src/main/store/splits.ts";
import { keysOf, type FindingKey, type Grade, type SchemeName } from "../../src/shared/findings.ts";
import { seeded } from "./films.ts";

/**
 * A cohort that a few steps can learn: each finding brightens its own eighth of a noisy frame.
 * Patients have one to three images; a fifth of the grades is missing.
 *
 * @returns the cohort's number; it has a split
 */
export async function makeBrightCohort(
  database: Database,
  dataFolder: string,
  options: {
    readonly patients: number;
    readonly framePixels: number;
    readonly seed: number;
    /** The study's labels where none is named. */
    readonly scheme?: SchemeName;
  },
): Promise<number> {
  const { patients, framePixels, seed, scheme = "sided" } = options;
  const random = seeded(seed);
  const cohort = createCohort(database, {
    name: `bright ${seed}`,
    framePixels,
    pixelPipeline: "test",
    positiveAtGrade: 2,
    scheme,
  });
  const writer = new FrameWriter(dataFolder, framePixels);
  const images = imageRepository(database, cohort.id);
  const labels = labelWriter(database);
  const band = framePixels / 8;
  const films = Array.from({ length: patients }, (_, patient) => {
    const grades = keysOf(scheme).map((): Grade => (random() < 0.35 ? 3 : 0));
    return Array.from({ length: 1 + (patient % 3) }, (_unused, image) => ({
      patient,
      image,
      frame: Uint8Array.from({ length: framePixels ** 2 }, (_value, i) => {
        const finding = Math.floor(Math.floor(i / framePixels) / band);
        return 60 + 80 * random() + (grades[finding] === 3 ? 70 : 0);
      }),
      grades: keysOf(scheme).flatMap((key, i): [FindingKey, Grade][] =>
        random() < 0.2 ? [] : [[key, grades[i]!]],
      ),
    }));
  }).flat();
  const locations = await writer.append(films.map((film) => film.frame));
  await writer.close();
  transaction(database, () => {
    films.forEach(({ patient, image, grades }, index) => {
      const imageId = images.addImage({
        patient: {
          pseudonym: `patient ${patient}`,
          identifierKey: `patient ${patient}`,
          sex: patient % 2 === 0 ? "F" : "M",
        },
        study: { pseudonym: "study", shiftedDate: null },
        series: { pseudonym: "series", modality: "DX", manufacturer: null },
        instancePseudonym: `${patient}/${image}`,
        contentHash: `${patient}/${image}`,
        status: "included",
        statusReason: null,
        asideCode: null,
        reviewFlag: null,
        lettering: null,
        shiftedSecond: null,
        viewPosition: "PA",
        photometricInterpretation: "MONOCHROME2",
        transferSyntax: "1.2.840.10008.1.2.1",
        rows: framePixels,
        columns: framePixels,
        bitsStored: 8,
        ageYears: 40 + (patient % 50),
        frame: { ...locations[index]!, bytes: framePixels ** 2 },
      });
      labels.addReading({
        imageId,
        reader: "test",
        source: "test",
        grades: Object.fromEntries(grades),
      });
    });
  });
  createSplit(database, cohort.id, { train: 0.6, validation: 0.15, test: 0.25 });
  return cohort.id;
}
