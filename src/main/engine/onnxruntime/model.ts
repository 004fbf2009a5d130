import {
  bytesField,
  encode,
  floatField,
  integerField,
  messageField,
  stringField,
} from "./protobuf.ts";
import type { Field } from "./protobuf.ts";

/** ONNX element types that our models use (onnx.proto, TensorProto.DataType). */
export const elementType = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

export type ElementType = keyof typeof elementType;

export type AttributeValue =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

export interface OnnxNode {
  readonly operator: string;
  /** "" for ONNX's own operators, "com.microsoft" for onnxruntime's. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export interface OnnxConstant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

/** A value that enters or leaves the graph; a string extent is free ("units"). */
export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** ONNX's own operators only, so that any runtime can read it. */
  readonly portable?: boolean;
}

/** The operator sets that the models are written against. */
const onnxOpset = 17;
const irVersion = 8;

function attributeField(name: string, value: AttributeValue): Field {
  const parts: Field[] = [stringField(1, name)];
  if ("int" in value) parts.push(integerField(3, value.int), integerField(20, 2));
  else if ("float" in value) parts.push(floatField(2, value.float), integerField(20, 1));
  else if ("text" in value) parts.push(stringField(4, value.text), integerField(20, 3));
  else parts.push(...value.ints.map((item) => integerField(8, item)), integerField(20, 7));
  return messageField(5, parts);
}

function nodeField(node: OnnxNode, index: number): Field {
  return messageField(1, [
    ...node.inputs.map((input) => stringField(1, input)),
    ...node.outputs.map((output) => stringField(2, output)),
    stringField(3, `${node.operator}_${index}`),
    stringField(4, node.operator),
    ...Object.entries(node.attributes).map(([name, value]) => attributeField(name, value)),
    stringField(7, node.domain),
  ]);
}

function constantField(constant: OnnxConstant): Field {
  const { data } = constant;
  return messageField(5, [
    ...constant.shape.map((extent) => integerField(1, extent)),
    integerField(2, elementType[constant.type]),
    stringField(8, constant.name),
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

function valueField(field: number, value: OnnxValue): Field {
  const extents = value.shape.map((extent) =>
    messageField(1, [
      typeof extent === "number" ? integerField(1, extent) : stringField(2, extent),
    ]),
  );
  const tensor = messageField(1, [
    integerField(1, elementType[value.type]),
    ...(value.shape.length === 0 ? [] : [messageField(2, extents)]),
  ]);
  return messageField(field, [stringField(1, value.name), messageField(2, [tensor])]);
}

/** The model as the bytes of an .onnx file (onnx.proto, ModelProto). */
export function writeModel(model: OnnxModel): Uint8Array {
  const graph: Field[] = [
    ...model.nodes.map(nodeField),
    stringField(2, model.name),
    ...model.constants.map(constantField),
    ...model.inputs.map((value) => valueField(11, value)),
    ...model.outputs.map((value) => valueField(12, value)),
  ];
  return encode([
    integerField(1, irVersion),
    stringField(2, "Silhouette"),
    messageField(7, graph),
    messageField(8, [stringField(1, ""), integerField(2, onnxOpset)]),
    ...(model.portable === true
      ? []
      : [messageField(8, [stringField(1, "com.microsoft"), integerField(2, 1)])]),
    ...Object.entries(model.metadata ?? {}).map(([name, text]) =>
      messageField(14, [stringField(1, name), stringField(2, text)]),
    ),
  ]);
}
