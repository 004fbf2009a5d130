import { basename } from "node:path";
import { DicomError, remedies, type RejectionCode } from "../dicom/errors.ts";
import type { FilmAnswer, ReadFilm } from "../dicom/read-film.ts";
import { transaction, type Database } from "../store/database.ts";
import type { FrameLocation, FrameWriter } from "../store/image-cache.ts";
import type { SiteIdentity } from "../store/identity.ts";
import type {
  ImageRepository,
  KnownImage,
  NewImage,
  SourceFile,
  SourceOutcome,
} from "../store/images.ts";
import { knownManufacturer } from "../dicom/manufacturers.ts";
import { placeFilm } from "./placement.ts";

/** A file that has been read, waiting for its row. */
export interface FinishedFile {
  readonly path: string;
  readonly pathKey: string;
  readonly sizeBytes: number;
  readonly modifiedMilliseconds: number;
  readonly answer: FilmAnswer;
}

/** What became of a file, as told to the person. */
export interface Recorded {
  readonly path: string;
  readonly outcome: SourceOutcome;
  readonly setAside: boolean;
  readonly reason: string | null;
}

export interface Recorder {
  /**
   * Puts the frames of a batch on the disk, then commits their rows in one transaction: a killed
   * process leaves a batch behind wholly or not at all.
   */
  record(batch: readonly FinishedFile[]): Promise<readonly Recorded[]>;
}

interface Candidate {
  readonly file: FinishedFile;
  readonly film: ReadFilm;
  readonly image: Omit<NewImage, "frame">;
}

export function recorder(options: {
  readonly database: Database;
  readonly repository: ImageRepository;
  readonly identity: SiteIdentity;
  readonly frames: FrameWriter;
}): Recorder {
  const { database, repository, identity, frames } = options;

  return {
    async record(batch) {
      const candidates = new Map<FinishedFile, Candidate>();
      for (const file of batch) {
        if ("film" in file.answer) {
          candidates.set(file, pseudonymise(file, file.answer.film, identity));
        }
      }
      const locations = await writeNewFrames([...candidates.values()]);
      return transaction(database, () => batch.map((file) => recordOne(file)));

      function recordOne(file: FinishedFile): Recorded {
        const candidate = candidates.get(file);
        if (candidate === undefined) {
          const rejection =
            "rejection" in file.answer
              ? file.answer.rejection
              : { code: "decoder-failed" as const, found: "The image could not be decoded." };
          return finish(file, quarantined(rejection.code, rejection.found));
        }
        const same = repository.byInstance(candidate.image.instancePseudonym);
        if (same !== null) return finish(file, sameInstance(candidate, same));
        const twin = repository.byContent(candidate.image.contentHash);
        if (twin !== null) return finish(file, sameContent(candidate, twin));
        const location = locations.get(candidate.image.instancePseudonym);
        if (location === undefined) throw new Error("A new film has no frame.");
        const { image } = candidate;
        const bytes = candidate.film.frame.length;
        const id = repository.addImage({ ...image, frame: { ...location, bytes } });
        return finish(file, {
          outcome: "imported",
          reasonCode: null,
          reason: image.statusReason,
          imageId: id,
          setAside: image.status === "set-aside",
        });
      }
    },
  };

  /** Frames of films that the cohort does not have yet; the transaction decides for good. */
  async function writeNewFrames(
    candidates: readonly Candidate[],
  ): Promise<ReadonlyMap<string, Required<FrameLocation>>> {
    const fresh = new Map<string, Candidate>();
    for (const candidate of candidates) {
      const { instancePseudonym, contentHash } = candidate.image;
      if (fresh.has(instancePseudonym) || repository.byInstance(instancePseudonym) !== null) {
        continue;
      }
      if (repository.byContent(contentHash) === null) fresh.set(instancePseudonym, candidate);
    }
    const keys = [...fresh.keys()];
    const written = await frames.append([...fresh.values()].map(({ film }) => film.frame));
    return new Map(written.map((location, index) => [keys[index] ?? "", location] as const));
  }

  function finish(
    file: FinishedFile,
    end: Pick<SourceFile, "outcome" | "reasonCode" | "reason" | "imageId"> & {
      readonly setAside?: boolean;
    },
  ): Recorded {
    const { setAside = false, ...row } = end;
    repository.recordFile({
      pathKey: file.pathKey,
      pathSealed: identity.seal(file.path),
      nameKey: identity.pseudonym("file-name", basename(file.path)),
      sizeBytes: file.sizeBytes,
      modifiedMilliseconds: file.modifiedMilliseconds,
      ...row,
    });
    return { path: file.path, outcome: row.outcome, setAside, reason: row.reason };
  }
}

function quarantined(code: RejectionCode, found: string) {
  return {
    outcome: "quarantined" as const,
    reasonCode: code,
    reason: `${found} ${remedies[code]}`,
    imageId: null,
  };
}

function sameInstance({ image }: Candidate, same: KnownImage) {
  if (same.contentHash !== image.contentHash) {
    return quarantined(
      "identifier-clash",
      `The file has the SOP Instance UID of image ${same.id}, but other pixels.`,
    );
  }
  if (same.patient !== image.patient.pseudonym) {
    return quarantined(
      "identifier-clash",
      `The file is image ${same.id} again, under another Patient ID.`,
    );
  }
  return {
    outcome: "duplicate" as const,
    reasonCode: "duplicate-instance",
    reason: `The same film as image ${same.id}.`,
    imageId: same.id,
  };
}

function sameContent({ image }: Candidate, twin: KnownImage) {
  const samePatient = twin.patient === image.patient.pseudonym;
  return {
    outcome: "duplicate" as const,
    reasonCode: samePatient ? "duplicate-content" : "duplicate-other-patient",
    reason: samePatient
      ? `The same pixels as image ${twin.id}, under another SOP Instance UID.`
      : `The same pixels as image ${twin.id}, but under another patient: check which of the ` +
        `two identifiers is right.`,
    imageId: twin.id,
  };
}

/** Replaces identity by pseudonyms. Nothing else of `film.identity` goes any further. */
function pseudonymise(file: FinishedFile, film: ReadFilm, identity: SiteIdentity): Candidate {
  const { patientId, sopInstanceUid, studyDate } = film.identity;
  if (patientId === null || sopInstanceUid === null) {
    throw new DicomError("no-patient-id", "The file lacks its identifiers.");
  }
  const patient = identity.pseudonym("patient", patientId);
  // A file without study or series UID is a study of its own.
  const studyUid = film.identity.studyInstanceUid ?? sopInstanceUid;
  const seriesUid = film.identity.seriesInstanceUid ?? sopInstanceUid;
  const placement = placeFilm(film);
  return {
    file,
    film,
    image: {
      patient: { pseudonym: patient, sex: film.film.sex, sexSource: film.sources?.sex ?? null },
      study: {
        pseudonym: identity.pseudonym("study", studyUid),
        shiftedDate: studyDate === null ? null : identity.shiftDate(patient, studyDate),
      },
      series: {
        pseudonym: identity.pseudonym("series", seriesUid),
        modality: film.film.modality,
        manufacturer: knownManufacturer(film.film.manufacturer),
      },
      instancePseudonym: identity.pseudonym("instance", sopInstanceUid),
      contentHash: film.contentHash,
      status: placement.status,
      statusReason: placement.reason,
      viewPosition: placement.viewPosition,
      photometricInterpretation: film.pixels.photometricInterpretation,
      transferSyntax: film.pixels.transferSyntax,
      rows: film.pixels.rows,
      columns: film.pixels.columns,
      bitsStored: film.pixels.bitsStored,
      ageYears: film.film.ageYears,
      ageSource: film.sources?.age ?? null,
    },
  };
}
