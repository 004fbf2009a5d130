import { UserError } from "../../shared/errors.ts";

/** How pixel data is coded. `uid` is DICOM's transfer syntax. */
export interface TransferSyntax {
  uid: string;
  name: string;
  coding: "native" | "rle" | "jpeg-baseline" | "jpeg-lossless" | "jpeg-ls" | "jpeg-2000";
}

export const EXPLICIT_LITTLE_ENDIAN: TransferSyntax = {
  uid: "1.2.840.10008.1.2.1",
  name: "explicit",
  coding: "native",
};

export const TRANSFER_SYNTAXES: readonly TransferSyntax[] = [
  EXPLICIT_LITTLE_ENDIAN,
  { uid: "1.2.840.10008.1.2", name: "implicit", coding: "native" },
  { uid: "1.2.840.10008.1.2.5", name: "rle", coding: "rle" },
  { uid: "1.2.840.10008.1.2.4.50", name: "jpeg-baseline", coding: "jpeg-baseline" },
  { uid: "1.2.840.10008.1.2.4.70", name: "jpeg-lossless", coding: "jpeg-lossless" },
  { uid: "1.2.840.10008.1.2.4.80", name: "jpeg-ls", coding: "jpeg-ls" },
  { uid: "1.2.840.10008.1.2.4.90", name: "jpeg-2000", coding: "jpeg-2000" },
];

/**
 * The syntaxes that an option stands for: one by UID or name, all with "mixed", explicit little
 * endian by default. Throws UserError for any other.
 */
export function transferSyntaxesOf(option: string | undefined): readonly TransferSyntax[] {
  if (option === undefined) return [EXPLICIT_LITTLE_ENDIAN];
  if (option === "mixed") return TRANSFER_SYNTAXES;
  const found = TRANSFER_SYNTAXES.find(({ uid, name }) => uid === option || name === option);
  if (found) return [found];
  const known = TRANSFER_SYNTAXES.map(({ uid, name }) => `${uid} (${name})`).join(", ");
  throw new UserError(
    "input",
    `Phantoms cannot be written in transfer syntax "${option}". Choose one of ${known}, or "mixed".`,
  );
}
