import type * as Codecs from "dcmjs-codecs";
import { DicomError } from "./errors.ts";
import type { PixelHeader } from "./header.ts";
import type { PixelCoding } from "./syntaxes.ts";

export type CompressedCoding = Exclude<PixelCoding, "native" | "rle">;

/** What a decoder gives back: interleaved samples in little endian, in one or two bytes each. */
export interface DecodedSamples {
  readonly bytes: Uint8Array;
  readonly bytesPerSample: 1 | 2;
}

/** What a decoder has to know of the frame. */
export type FrameShape = Pick<
  PixelHeader,
  "rows" | "columns" | "samplesPerPixel" | "bitsAllocated" | "bitsStored" | "pixelRepresentation"
>;

/** Decodes one compressed frame. The only place that knows which library does it. */
export interface FrameDecoder {
  decode(coding: CompressedCoding, encoded: Uint8Array, shape: FrameShape): DecodedSamples;
}

type Library = typeof Codecs;
let loading: Promise<Library> | null = null;
/** After a failure inside the WebAssembly module its memory is not trusted any more. */
let tainted = false;

/** Loads the decoders on first use: four megabytes of WebAssembly. */
export async function frameDecoder(): Promise<FrameDecoder> {
  loading ??= import("dcmjs-codecs").then(async (module) => {
    const library = "default" in module ? module.default : module;
    // The library reports to the console, and so to standard output, where results belong.
    library.log.setLevel("silent");
    await library.NativeCodecs.initializeAsync();
    return library;
  });
  const library = await loading;
  if (tainted) {
    library.NativeCodecs.release();
    await library.NativeCodecs.initializeAsync();
    tainted = false;
  }
  return { decode: (coding, encoded, header) => decodeNative(library, coding, encoded, header) };
}

function decodeNative(
  { Context, NativeCodecs }: Library,
  coding: CompressedCoding,
  encoded: Uint8Array,
  header: FrameShape,
): DecodedSamples {
  const context = new Context({
    width: header.columns,
    height: header.rows,
    bitsAllocated: header.bitsAllocated,
    bitsStored: header.bitsStored,
    samplesPerPixel: header.samplesPerPixel,
    pixelRepresentation: header.pixelRepresentation,
    planarConfiguration: 0,
    // Colour spaces are left as coded: the stored values are wanted.
    photometricInterpretation: header.samplesPerPixel === 1 ? "MONOCHROME2" : "RGB",
    encodedBuffer: encoded,
  });
  let bytes: Uint8Array | undefined;
  try {
    bytes = run(NativeCodecs, coding, context).getDecodedBuffer();
  } catch (thrown) {
    tainted = true;
    // The library's text can quote bytes of the file, so it goes no further than the cause.
    throw new DicomError("decoder-failed", "The compressed image is damaged.", { cause: thrown });
  }
  const samples = header.rows * header.columns * header.samplesPerPixel;
  if (bytes?.length === samples * 2) return { bytes, bytesPerSample: 2 };
  if (bytes !== undefined && bytes.length >= samples && bytes.length <= samples + 1) {
    return { bytes: bytes.subarray(0, samples), bytesPerSample: 1 };
  }
  throw new DicomError("decoder-failed", "The compressed image decodes to another size.");
}

function run(
  codecs: typeof Codecs.NativeCodecs,
  coding: CompressedCoding,
  context: Parameters<typeof Codecs.NativeCodecs.decodeJpeg>[0],
): ReturnType<typeof Codecs.NativeCodecs.decodeJpeg> {
  // Each call gets its own options: the library's factories write into what they are given.
  switch (coding) {
    case "jpeg":
      return codecs.decodeJpeg(context, { convertColorspaceToRgb: false });
    case "jpeg-ls":
      return codecs.decodeJpegLs(context, {});
    case "jpeg-2000":
      return codecs.decodeJpeg2000(context, {});
    case "htj2k":
      return codecs.decodeHtJpeg2000(context, {});
    case "jpeg-xl":
      return codecs.decodeJpegXl(context, {});
  }
}
