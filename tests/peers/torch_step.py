"""The same training step in torch, one unit at a time, as a peer to compare with.

Usage: torch_step.py NETWORK WEIGHTS BATCH CLIP OUT
WEIGHTS, BATCH and OUT are safetensors files (read and written here by hand).
Writes logits, norms, losses, each parameter's clipped sum and, under `ordinary.`, the gradient
of the mean loss; all computed in float64.
"""

import json
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F
from torch_networks import WideResNet, convnext_tiny


def read(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        assert entry["dtype"] == "F32"
        raw = bytearray(data[8 + size + begin : 8 + size + end])
        flat = torch.frombuffer(raw, dtype=torch.float32) if raw else torch.zeros(0)
        tensors[name] = flat.reshape(entry["shape"]).double()
    return tensors


def write(path, tensors):
    header, blobs, at = {}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().float().contiguous().numpy().tobytes()
        shape = list(tensor.shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(blob)]}
        at += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, groups):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.GroupNorm(groups, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.GroupNorm(groups, outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.GroupNorm(groups, outputs)
            )

    def forward(self, x):
        side = x if self.downsample is None else self.downsample(x)
        x = F.mish(self.bn1(self.conv1(x)))
        return F.mish(self.bn2(self.conv2(x)) + side)


class ResNet(nn.Module):
    def __init__(self, widths, groups, stem, pool, labels, blocks=1):
        super().__init__()
        kernel, stride = stem
        self.conv1 = nn.Conv2d(1, widths[0], kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.GroupNorm(groups, widths[0])
        self.pool = pool
        channels = widths[0]
        for index, width in enumerate(widths):
            stage = [BasicBlock(channels, width, 1 if index == 0 else 2, groups)]
            stage += [BasicBlock(width, width, 1, groups) for _ in range(blocks - 1)]
            setattr(self, f"layer{index + 1}", nn.Sequential(*stage))
            channels = width
        self.fc = nn.Linear(channels, labels)

    def forward(self, x):
        x = self.pool(F.mish(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def network(name, labels):
    small = [16, 32, 64, 128]
    if name == "resnet9":
        return ResNet([64, 128, 256, 512], 32, (7, 2), nn.MaxPool2d(3, 2, 1), labels)
    if name == "resnet18":
        return ResNet([64, 128, 256, 512], 32, (7, 2), nn.MaxPool2d(3, 2, 1), labels, 2)
    if name == "resnet9-small":
        return ResNet(small, 8, (3, 2), nn.Identity(), labels)
    if name == "resnet9-smooth":
        return ResNet(small, 8, (3, 1), nn.AvgPool2d(3, 2, 1), labels)
    if name == "wrn16-4":
        return WideResNet(labels)
    if name == "convnext-tiny":
        return convnext_tiny(labels)
    raise SystemExit(f"no network {name}")


def main():
    name, weights, batch, clip, out = sys.argv[1:]
    batch = read(batch)
    images, labels = batch["images"], batch["labels"]
    if images.dim() == 4:
        images = images[:, None]
    units, views = images.shape[:2]
    model = network(name, labels.shape[1]).double()
    model.load_state_dict(read(weights))
    clip = float(clip)
    parameters = dict(model.named_parameters())
    sums = {key: torch.zeros_like(value) for key, value in parameters.items()}
    means = {key: torch.zeros_like(value) for key, value in parameters.items()}
    norms, losses, logits = [], [], []
    for unit in range(units):
        output = model(images[unit])
        logits.append(output.detach())
        target = labels[unit].expand(views, -1)
        there = ~torch.isnan(target)
        each = F.binary_cross_entropy_with_logits(
            output, torch.nan_to_num(target), reduction="none"
        )
        loss = torch.where(there, each, torch.zeros_like(each)).sum() / (views * labels.shape[1])
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        norm = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
        factor = min(1.0, clip / max(norm.item(), 1e-30))
        for key, gradient in zip(parameters, gradients):
            sums[key] += factor * gradient
            means[key] += gradient / units
        norms.append(norm.detach())
        losses.append(loss.detach())
    results = dict(sums)
    results.update({f"ordinary.{key}": value for key, value in means.items()})
    results["norms"] = torch.stack(norms)
    results["losses"] = torch.stack(losses)
    results["logits"] = torch.cat(logits)
    write(out, results)


if __name__ == "__main__":
    main()
