"""Private gradients in torch as Opacus makes them, written from its papers.

Opacus itself needs a newer torch than Debian's. What stands here is its method for the layers of a
ResNet with group normalisation and no more:

- per-example gradients by hooks (Yousefpour et al. 2021, arXiv 2109.12298): activations are kept on
  the way forward, each layer's gradients of single examples are made on the way back, clipped and
  summed;
- ghost clipping (Li et al. 2022, arXiv 2110.05679; Bu et al. 2022, arXiv 2205.10683): norms
  without gradients of single examples where that takes less memory (2 T^2 < pD), then a second way
  back through the losses, each times its clipping factor.
"""

import torch
from torch import nn
from torch.nn import functional as F


def columns_of(layer, x):
    """The windows of a convolution, [examples, inputs * taps, pixels]."""
    return F.unfold(x, layer.kernel_size, layer.dilation, layer.padding, layer.stride)


def gradients_of(layer, x, gradient):
    """Gradients of single examples for each parameter of a layer."""
    if isinstance(layer, nn.Conv2d):
        flat = gradient.flatten(2)
        weight = torch.einsum("noq,npq->nop", flat, columns_of(layer, x))
        result = [weight.reshape(len(x), *layer.weight.shape)]
        return result if layer.bias is None else [*result, flat.sum(2)]
    if isinstance(layer, nn.Linear):
        return [torch.einsum("no,ni->noi", gradient, x), gradient]
    if isinstance(layer, nn.GroupNorm):
        normal = F.group_norm(x, layer.num_groups, eps=layer.eps)
        return [(gradient * normal).flatten(2).sum(2), gradient.flatten(2).sum(2)]
    raise TypeError(f"no rule for {layer}")


def squared_norms_of(layer, x, gradient):
    """Squared norms over a layer's parameters for each example, [examples]."""
    if isinstance(layer, nn.Conv2d) and layer.bias is None:
        pixels = gradient.shape[2] * gradient.shape[3]
        if 2 * pixels * pixels < layer.weight.numel():
            columns, flat = columns_of(layer, x), gradient.flatten(2)
            first = torch.einsum("nit,nis->nts", columns, columns)
            second = torch.einsum("not,nos->nts", flat, flat)
            return (first * second).sum((1, 2))
    if isinstance(layer, nn.Linear):
        squares = (gradient * gradient).sum(1)
        return squares * (x * x).sum(1) + squares
    parts = gradients_of(layer, x, gradient)
    return sum((part * part).flatten(1).sum(1) for part in parts)


class Hooked:
    """A network whose layers say `seen(layer, input, gradient at output)` on the way back."""

    def __init__(self, model):
        self.model = model
        self.layers = [m for m in model.modules() if list(m.parameters(recurse=False))]
        self.seen = None
        for layer in self.layers:
            layer.register_forward_hook(self.forward_hook)

    def forward_hook(self, layer, inputs, output):
        if self.seen is None:
            return
        x = inputs[0].detach()

        def backward_hook(gradient):
            if self.seen is not None:
                self.seen(layer, x, gradient)

        output.register_hook(backward_hook)


def losses_of(model, images, target):
    each = F.binary_cross_entropy_with_logits(model(images), target, reduction="none")
    return each.mean(1)


def clipping_factors(norms, bound):
    return torch.clamp(bound / (norms + 1e-6), max=1.0)


def hooks_step(hooked, images, target, bound):
    """The sum of clipped gradients by parameter, and the norms."""
    found = {}
    hooked.seen = lambda layer, x, gradient: found.__setitem__(
        layer, gradients_of(layer, x, gradient)
    )
    parameters = list(hooked.model.parameters())
    losses = losses_of(hooked.model, images, target)
    # Opacus lets autograd make the ordinary gradients on the way as well.
    torch.autograd.grad(losses.sum(), parameters)
    hooked.seen = None
    parts = [(p, g) for layer in hooked.layers for p, g in zip(layer.parameters(False), found[layer])]
    norms = torch.stack([g.flatten(1).norm(dim=1) for _, g in parts], 1).norm(dim=1)
    factors = clipping_factors(norms, bound)
    sums = {p: torch.einsum("n,n...->...", factors, g) for p, g in parts}
    return [sums[p] for p in parameters], norms


def ghost_step(hooked, images, target, bound):
    """The same by ghost clipping."""
    squares = []
    hooked.seen = lambda layer, x, gradient: squares.append(squared_norms_of(layer, x, gradient))
    parameters = list(hooked.model.parameters())
    losses = losses_of(hooked.model, images, target)
    torch.autograd.grad(losses.sum(), parameters, retain_graph=True)
    hooked.seen = None
    norms = torch.sqrt(sum(squares))
    factors = clipping_factors(norms, bound)
    return list(torch.autograd.grad((losses * factors).sum(), parameters)), norms
