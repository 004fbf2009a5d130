/**
 * The few parts of the protocol-buffer wire format that an ONNX model needs
 * (https://protobuf.dev/programming-guides/encoding). A message is the list of its encoded
 * fields; nothing is copied until `encode` joins them.
 */
export type Field = readonly Uint8Array[];

const wireVarint = 0;
const wireBytes = 2;
const wireFloat = 5;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function key(field: number, wire: number): number[] {
  return varint(field * 8 + wire);
}

/** An int32, int64 or enum field. */
export function integerField(field: number, value: number): Field {
  return [Uint8Array.from([...key(field, wireVarint), ...varint(value)])];
}

export function floatField(field: number, value: number): Field {
  const bytes = new Uint8Array(new Float32Array([value]).buffer);
  return [Uint8Array.from(key(field, wireFloat)), bytes];
}

export function bytesField(field: number, bytes: Uint8Array): Field {
  return [Uint8Array.from([...key(field, wireBytes), ...varint(bytes.byteLength)]), bytes];
}

export function stringField(field: number, text: string): Field {
  return bytesField(field, new TextEncoder().encode(text));
}

/** A message inside a message. */
export function messageField(field: number, parts: readonly Field[]): Field {
  const chunks = parts.flat();
  const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return [Uint8Array.from([...key(field, wireBytes), ...varint(length)]), ...chunks];
}

/** The whole message as bytes. */
export function encode(parts: readonly Field[]): Uint8Array {
  const chunks = parts.flat();
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
