import { basename } from "node:path";
import { DicomError, remedies, type RejectionCode } from "../dicom/errors.ts";
import type { FilmAnswer, ReadFilm } from "../dicom/read-film.ts";
import { transaction, type Database } from "../store/database.ts";
import type { FrameLocation, FrameWriter } from "../store/image-cache.ts";
import type { SiteIdentity } from "../store/identity.ts";
import { originalsWriter } from "../store/reidentification.ts";
import type {
  ImageRepository,
  KnownImage,
  NewImage,
  SourceFile,
  SourceOutcome,
} from "../store/images.ts";
import { knownManufacturer } from "../dicom/manufacturers.ts";
import { placeFilm, reviewFlagOf } from "./placement.ts";

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
  /** Whether equal Patient IDs of two issuers are two patients; not so in cohorts of before. */
  readonly issuers: boolean;
}): Recorder {
  const { database, repository, identity, frames, issuers } = options;
  const originals = originalsWriter(database);

  return {
    async record(batch) {
      const candidates = new Map<FinishedFile, Candidate>();
      for (const file of batch) {
        if ("film" in file.answer) {
          candidates.set(file, pseudonymise(file, file.answer.film, identity, issuers));
        }
      }
      const locations = await writeNewFrames([...candidates.values()]);
      return transaction(database, () => batch.map((file) => recordOne(file)));

      function recordOne(file: FinishedFile): Recorded {
        const read = candidates.get(file);
        const candidate = read === undefined ? undefined : underKnownPatient(read);
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
        const { patientId, issuerOfPatientId, studyInstanceUid } = candidate.film.identity;
        originals?.add("patient", image.patient.pseudonym, [patientId, issuerOfPatientId]);
        originals?.add("study", image.study.pseudonym, [studyInstanceUid, null]);
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

  /** The same under the pseudonym that the cohort has for the patient already. */
  function underKnownPatient(candidate: Candidate): Candidate {
    const { patient, study } = candidate.image;
    const pseudonym = repository.knownPatient(patient.pseudonym, patient.identifierKey);
    if (pseudonym === patient.pseudonym) return candidate;
    return {
      ...candidate,
      image: {
        ...candidate.image,
        patient: { ...patient, pseudonym },
        study: { ...study, ...shifted(candidate.film, pseudonym, identity).study },
        shiftedSecond: shifted(candidate.film, pseudonym, identity).second,
      },
    };
  }

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
function pseudonymise(
  file: FinishedFile,
  film: ReadFilm,
  identity: SiteIdentity,
  issuers: boolean,
): Candidate {
  const { patientId, sopInstanceUid, issuerOfPatientId } = film.identity;
  if (patientId === null || sopInstanceUid === null) {
    throw new DicomError("no-patient-id", "The file lacks its identifiers.");
  }
  const patient = identity.patient(patientId, issuers ? issuerOfPatientId : null);
  const moved = shifted(film, patient, identity);
  // A file without study or series UID is a study of its own.
  const studyUid = film.identity.studyInstanceUid ?? sopInstanceUid;
  const seriesUid = film.identity.seriesInstanceUid ?? sopInstanceUid;
  const placement = placeFilm(film);
  return {
    file,
    film,
    image: {
      patient: {
        pseudonym: patient,
        identifierKey: identity.patient(patientId, null),
        sex: film.film.sex,
        sexSource: film.sources?.sex ?? null,
      },
      study: {
        pseudonym: identity.pseudonym("study", studyUid),
        ...moved.study,
      },
      series: {
        pseudonym: identity.pseudonym("series", seriesUid),
        modality: film.film.modality,
        manufacturer: knownManufacturer(film.film.manufacturer),
      },
      instancePseudonym: identity.pseudonym("instance", sopInstanceUid),
      contentHash: film.contentHash,
      status: placement.status,
      asideCode: placement.asideCode,
      statusReason: placement.reason,
      reviewFlag: reviewFlagOf(film),
      lettering: film.lettering.length === 0 ? null : JSON.stringify(film.lettering),
      shiftedSecond: moved.second,
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

/** The film's dates and times as they are kept: moved by the patient's secret amounts. */
function shifted(film: ReadFilm, patient: string, identity: SiteIdentity) {
  const { studyDate, acquisitionSeconds } = film.identity;
  return {
    study: { shiftedDate: studyDate === null ? null : identity.shiftDate(patient, studyDate) },
    second:
      acquisitionSeconds === null ? null : acquisitionSeconds + identity.secondOffset(patient),
  };
}
