"""WRN-16-4 and ConvNeXt in torch, written from their papers and with the product's names."""

import torch
from torch import nn
from torch.nn import functional as F


class StandardisedConv2d(nn.Conv2d):
    """Scaled weight standardisation with a gain (Brock et al. 2021, De et al. 2022)."""

    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, bias=True)
        self.gain = nn.Parameter(torch.ones(outputs))

    def forward(self, x):
        variance, mean = torch.var_mean(self.weight, (1, 2, 3), unbiased=False, keepdim=True)
        fan_in = self.weight[0].numel()
        scale = torch.rsqrt(torch.clamp(fan_in * variance, min=1e-4))
        weight = (self.weight - mean) * scale * self.gain[:, None, None, None]
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, projects):
        super().__init__()
        self.norm1 = nn.GroupNorm(16, inputs)
        self.conv1 = StandardisedConv2d(inputs, outputs, 3, stride)
        self.norm2 = nn.GroupNorm(16, outputs)
        self.conv2 = StandardisedConv2d(outputs, outputs, 3, 1)
        self.projects = projects
        if projects:
            self.skip_norm = nn.GroupNorm(16, inputs)
            self.skip_conv = StandardisedConv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        side = self.skip_conv(self.skip_norm(F.relu(x))) if self.projects else x
        x = self.conv1(self.norm1(F.relu(x)))
        return self.conv2(self.norm2(F.relu(x))) + side


class WideResNet(nn.Module):
    def __init__(self, labels):
        super().__init__()
        self.conv1 = StandardisedConv2d(1, 16, 3, 1)
        channels = 16
        for index, width in enumerate([64, 128, 256]):
            first = WideBlock(channels, width, 1 if index == 0 else 2, True)
            setattr(
                self, f"layer{index + 1}", nn.Sequential(first, WideBlock(width, width, 1, False))
            )
            channels = width
        self.norm = nn.GroupNorm(16, channels)
        self.fc = nn.Linear(channels, labels)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(self.norm(F.relu(x)).mean((2, 3)))


class Permute(nn.Module):
    def __init__(self, order):
        super().__init__()
        self.order = order

    def forward(self, x):
        return x.permute(self.order)


class ChannelNorm(nn.LayerNorm):
    """Over the channels of maps whose channels come first."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            Permute((0, 2, 3, 1)),
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute((0, 3, 1, 2)),
        )

    def forward(self, x):
        return x + self.layer_scale * self.block(x)


class ConvNeXt(nn.Module):
    def __init__(self, widths, depths, labels):
        super().__init__()
        stages = []
        channels = 1
        for index, (width, depth) in enumerate(zip(widths, depths)):
            if index == 0:
                stages.append(nn.Sequential(nn.Conv2d(1, width, 4, 4), ChannelNorm(width)))
            else:
                stages.append(
                    nn.Sequential(ChannelNorm(channels), nn.Conv2d(channels, width, 2, 2))
                )
            stages.append(nn.Sequential(*[ConvNeXtBlock(width) for _ in range(depth)]))
            channels = width
        self.features = nn.Sequential(*stages)
        self.classifier = nn.Sequential(
            nn.LayerNorm(channels, eps=1e-6), nn.Flatten(1), nn.Linear(channels, labels)
        )

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def convnext_tiny(labels):
    return ConvNeXt([96, 192, 384, 768], [3, 3, 9, 3], labels)
