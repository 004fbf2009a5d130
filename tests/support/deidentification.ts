/** Uncompressed transfer syntaxes: implicit, explicit, deflated, big endian. */
export const nativeSyntaxes = [
  "1.2.840.10008.1.2",
  "1.2.840.10008.1.2.1",
  "1.2.840.10008.1.2.1.99",
  "1.2.840.10008.1.2.2",
];

/** A compressed stream with a text in a comment, in application data and behind its end. */
export function streamWithText(stream: Uint8Array, text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const jpeg = stream[0] === 0xff && stream[1] === 0xd8;
  // JPEG 2000 begins with SOC and SIZ, whose length follows its marker.
  const start = jpeg ? 2 : 4 + Buffer.from(stream).readUInt16BE(4);
  const segments = jpeg
    ? [segment(0xfffe, bytes), segment(0xffe1, bytes)]
    : [segment(0xff64, Buffer.concat([Buffer.from([0, 1]), bytes]))];
  return Buffer.concat([stream.subarray(0, start), ...segments, stream.subarray(start), bytes]);
}

function segment(marker: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(marker, 0);
  head.writeUInt16BE(payload.length + 2, 2);
  return Buffer.concat([head, payload]);
}
