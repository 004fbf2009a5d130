"""The time of torch's ordinary training step (forward, mean loss, backward) in float32.

Usage: torch_ordinary.py NETWORK RESOLUTION BATCH LABELS REPETITIONS THREADS
Prints the median in milliseconds, after one repetition that is not timed.
"""

import statistics
import sys
import time

import torch
from torch.nn import functional as F
from torch_step import network


def main():
    name = sys.argv[1]
    resolution, batch, labels, repetitions, threads = map(int, sys.argv[2:])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = network(name, labels)
    images = torch.rand(batch, 1, resolution, resolution)
    target = (torch.rand(batch, labels) < 0.3).float()
    times = []
    for _ in range(repetitions + 1):
        start = time.perf_counter()
        model.zero_grad(set_to_none=True)
        F.binary_cross_entropy_with_logits(model(images), target).backward()
        times.append((time.perf_counter() - start) * 1000)
    print(statistics.median(times[1:]))


if __name__ == "__main__":
    main()
