"""One training step of torch at a time, in float32, whenever a line on standard input asks for it.

Usage: torch_turns.py NETWORK RESOLUTION BATCH LABELS THREADS
Each line is ordinary, hooks or ghost; the answer is a line with the milliseconds it took. The first
line of all is the largest relative difference of the two private steps from each other, in norms
and in sums.
"""

import sys
import time

import torch
from torch_private import Hooked, ghost_step, hooks_step, losses_of
from torch_step import network


def main():
    name = sys.argv[1]
    resolution, batch, labels, threads = map(int, sys.argv[2:])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = network(name, labels)
    hooked = Hooked(model)
    images = torch.rand(batch, 1, resolution, resolution)
    target = (torch.rand(batch, labels) < 0.3).float()

    def ordinary():
        torch.autograd.grad(losses_of(model, images, target).mean(), list(model.parameters()))

    steps = {
        "ordinary": ordinary,
        "hooks": lambda: hooks_step(hooked, images, target, 1.0),
        "ghost": lambda: ghost_step(hooked, images, target, 1.0),
    }
    (one, norms), (other, others) = steps["hooks"](), steps["ghost"]()
    apart = [float((norms - others).abs().max() / norms.max())]
    apart += [float((a - b).norm() / a.norm()) for a, b in zip(one, other)]
    print(max(apart), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        steps[line.strip()]()
        print((time.perf_counter() - start) * 1000, flush=True)


if __name__ == "__main__":
    main()
