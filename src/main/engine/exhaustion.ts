import { messageOf } from "../../shared/errors.ts";

/**
 * What allocators say when memory is not enough: onnxruntime's arena, C++'s, V8's, CUDA's,
 * Direct3D's, Vulkan's and WebGPU's (which may lose its device over it).
 */
const words = [
  /out of (?:device |host )?memory/i,
  /failed to allocate/i,
  /bad_alloc/,
  /allocation (?:failed|failure|of \d+ bytes failed)/i,
  /not enough memory/i,
  /E_OUTOFMEMORY|OUT_OF_(?:DEVICE|HOST)_MEMORY|ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation/,
  /OOM when allocating/,
  /device (?:is|was) lost|device lost|DEVICE_REMOVED/i,
];

/** True where an engine failed for want of memory, so that a smaller micro-batch may succeed. */
export function isMemoryExhausted(error: unknown): boolean {
  const message = messageOf(error);
  return words.some((pattern) => pattern.test(message));
}
