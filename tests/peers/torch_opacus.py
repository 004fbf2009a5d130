"""Private gradients by Opacus itself, where it is installed: the sum of clipped gradients, without noise.

Both ways call what Opacus documents (https://opacus.ai, version 1.5): a GradSampleModule with a
DPOptimizer (gradients of single examples by hooks), and the fast-gradient-clipping classes with ghost
clipping. Each gets a network of its own, since hooks stay on it.
"""

import torch
from opacus import GradSampleModule
from opacus.grad_sample.grad_sample_module_fast_gradient_clipping import (
    GradSampleModuleFastGradientClipping,
)
from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPLossFastGradientClipping
from torch import nn
from torch.nn import functional as F


class MeanOverLabels(nn.Module):
    """Binary cross-entropy, the mean over labels; [examples] where its reduction is "none"."""

    reduction = "mean"

    def forward(self, logits, target):
        each = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(1)
        return each if self.reduction == "none" else each.mean()


def options(bound, batch):
    return {"noise_multiplier": 0.0, "max_grad_norm": bound, "expected_batch_size": batch}


def opacus_hooks(model, images, target, bound):
    """A function that makes one step and returns the clipped sums by parameter."""
    module = GradSampleModule(model)
    plain = torch.optim.SGD(module.parameters(), lr=0.0)
    optimiser = DPOptimizer(plain, **options(bound, len(images)))
    criterion = MeanOverLabels()

    def step():
        optimiser.zero_grad(set_to_none=True)
        criterion(module(images), target).backward()
        optimiser.clip_and_accumulate()
        return [p.summed_grad for p in optimiser.params]

    return step


def opacus_ghost(model, images, target, bound):
    """The same by ghost clipping."""
    module = GradSampleModuleFastGradientClipping(
        model, max_grad_norm=bound, use_ghost_clipping=True
    )
    plain = torch.optim.SGD(module.parameters(), lr=0.0)
    optimiser = DPOptimizerFastGradientClipping(plain, **options(bound, len(images)))
    criterion = DPLossFastGradientClipping(module, optimiser, MeanOverLabels())

    def step():
        optimiser.zero_grad(set_to_none=True)
        criterion(module(images), target).backward()
        return [p.grad for p in optimiser.params]

    return step
