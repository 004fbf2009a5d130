import type { ActivationName } from "../network/description.ts";
import type { Context, Flow, LayerResult } from "./context.ts";
import type { Tensor } from "./ir.ts";

interface Rule {
  readonly value: Tensor;
  /** The derivative at the input, built only where a gradient is wanted. */
  readonly derivative: () => Tensor;
}

function ruleOf(context: Context, name: ActivationName, x: Tensor): Rule {
  const { builder } = context;
  const number = (value: number): Tensor => builder.scalar(value, x.shape.length);
  switch (name) {
    case "mish": {
      // x tanh(softplus(x)) (Misra 2019, arXiv 1908.08681). With s = sigmoid(x) and p = s (2 - s)
      // the hyperbolic tangent is t = p / (2 - p): no logarithm, no overflow, no cancellation.
      // The derivative is t + x s (1 - t^2) = t + s (x - x t t).
      const s = builder.unary("sigmoid", x);
      const p = builder.multiply(s, builder.subtract(number(2), s));
      const t = builder.divide(p, builder.subtract(number(2), p));
      const value = builder.multiply(x, t);
      return {
        value,
        derivative: () => {
          const rest = builder.subtract(x, builder.multiply(value, t));
          return builder.add(t, builder.multiply(s, rest));
        },
      };
    }
    case "relu": {
      const value = builder.unary("relu", x);
      // Of the value, which the next layer keeps anyway: it is positive where x is.
      return { value, derivative: () => builder.binary("greater", value, number(0)) };
    }
    case "silu": {
      const value = builder.unary("swish", x);
      return {
        value,
        derivative: () => {
          const s = builder.unary("sigmoid", x);
          return builder.add(s, builder.subtract(value, builder.multiply(value, s)));
        },
      };
    }
    case "gelu": {
      // x Phi(x) with the exact normal distribution (Hendrycks and Gimpel 2016, arXiv 1606.08415).
      const erf = builder.unary("erf", builder.scale(x, Math.SQRT1_2));
      const probability = builder.add(builder.scale(erf, 0.5), number(0.5));
      return {
        value: builder.multiply(x, probability),
        derivative: () => {
          const exponent = builder.scale(builder.multiply(x, x), -0.5);
          const density = builder.scale(
            builder.unary("exponential", exponent),
            1 / Math.sqrt(2 * Math.PI),
          );
          return builder.add(probability, builder.multiply(x, density));
        },
      };
    }
  }
}

export function activation(context: Context, name: ActivationName, flow: Flow): LayerResult {
  const rule = ruleOf(context, name, flow.tensor);
  return {
    flow: { ...flow, tensor: rule.value },
    backward: (gradient, needsInput) =>
      needsInput ? context.builder.multiply(gradient, rule.derivative()) : null,
  };
}
