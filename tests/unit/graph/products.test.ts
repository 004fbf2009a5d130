import { describe, expect, it } from "vitest";
import { resultOf } from "../../../src/main/engine/program.ts";
import { GraphBuilder } from "../../../src/main/graph/builder.ts";
import { everyEngine } from "../support/engines.ts";
import { seededRandom } from "../support/random.ts";
import { relativeError } from "../support/reference.ts";

const [stack, rows, inner, columns] = [3, 4, 5, 6];

describe("a stack of matrices times one matrix", () => {
  for (const [name, open] of Object.entries(everyEngine))
    it.each([false, true])(`is right by ${name}, the second transposed: %s`, async (second) => {
      const random = seededRandom(11);
      const a = Float32Array.from({ length: stack * rows * inner }, () => random() - 0.5);
      const b = Float32Array.from({ length: inner * columns }, () => random() - 0.5);
      const expected = new Float64Array(stack * rows * columns);
      for (let row = 0; row < stack * rows; row += 1)
        for (let column = 0; column < columns; column += 1)
          for (let k = 0; k < inner; k += 1)
            expected[row * columns + column]! +=
              a[row * inner + k]! * b[second ? column * inner + k : k * columns + column]!;
      const builder = new GraphBuilder();
      const product = builder.matrixProduct(
        builder.input("a", [stack, rows, inner]),
        builder.input("b", second ? [columns, inner] : [inner, columns]),
        { second },
      );
      expect(product.shape).toEqual([stack, rows, columns]);
      builder.output("product", product);
      const program = await open(builder.finish());
      const feeds = new Map(Object.entries({ a, b }));
      const found = resultOf(await program.run(feeds), "product");
      expect(relativeError(found, expected)).toBeLessThan(1e-6);
      await program.dispose();
    });

  it("is refused where the stack would have to be transposed", () => {
    const builder = new GraphBuilder();
    const a = builder.input("a", [stack, inner, rows]);
    const b = builder.input("b", [inner, columns]);
    expect(() => builder.matrixProduct(a, b, { first: true })).toThrow(/ranks 3 and 2/);
  });
});
