"""One training step of torch at a time, in float32, whenever a line on standard input asks for it.

Usage: torch_turns.py NETWORK RESOLUTION BATCH LABELS THREADS
First it prints a line of JSON: `versions`, the `steps` it knows, and `difference`, the largest relative
difference of the private steps' sums from those by our own hooks. Each line of input names a step; the
answer is a line with the milliseconds it took. Opacus' own steps are there where it is installed.
"""

import copy
import json
import logging
import sys
import time
import warnings

import torch
from torch_private import Hooked, ghost_step, hooks_step, losses_of
from torch_step import network

# Opacus is a peer in speed here, so it need not remind of its secure mode.
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
try:
    import opacus
    from torch_opacus import opacus_ghost, opacus_hooks
except ImportError:
    opacus = None

BOUND = 1.0


def main():
    name = sys.argv[1]
    resolution, batch, labels, threads = map(int, sys.argv[2:])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = network(name, labels)
    copies = [copy.deepcopy(model), copy.deepcopy(model)]
    hooked = Hooked(model)
    images = torch.rand(batch, 1, resolution, resolution)
    target = (torch.rand(batch, labels) < 0.3).float()

    def ordinary():
        torch.autograd.grad(losses_of(model, images, target).mean(), list(model.parameters()))

    private = {
        "hooks": lambda: hooks_step(hooked, images, target, BOUND)[0],
        "ghost": lambda: ghost_step(hooked, images, target, BOUND)[0],
    }
    versions = {"torch": torch.__version__}
    if opacus is not None:
        versions["opacus"] = opacus.__version__
        private["opacus-hooks"] = opacus_hooks(copies[0], images, target, BOUND)
        private["opacus-ghost"] = opacus_ghost(copies[1], images, target, BOUND)

    one, *others = [make() for make in private.values()]
    apart = [float((a - b).norm() / a.norm()) for other in others for a, b in zip(one, other)]
    steps = {"ordinary": ordinary, **private}
    print(json.dumps({"versions": versions, "steps": list(steps), "difference": max(apart)}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        steps[line.strip()]()
        print((time.perf_counter() - start) * 1000, flush=True)


if __name__ == "__main__":
    main()
