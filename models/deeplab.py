"""The networks of recall-seg in PyTorch, under the names that their weights are saved with.

torchvision has DeepLabV3 on ResNet-50 and 101 at output stride 8; these are all backbones, both output strides and both
heads, of torchvision's parts: DeepLabV3, and DeepLabV3+ (Chen et al. 2018) with plain convolutions.

    net = network("resnet18", "deeplabv3plus", classes=19, output_stride=16)  # model.backbone, head, output_stride of recipe.toml
    net.load_state_dict(safetensors.torch.load_file("weights.safetensors"))   # from `train export --output weights.safetensors`
    scores = net.eval()(images)["out"]                                        # images normalized as torchvision does

pip install torch==2.11.0 torchvision==0.26.0 safetensors==0.8.0
"""
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import resnet
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.deeplabv3 import ASPP, DeepLabHead, DeepLabV3
from torchvision.models.segmentation.fcn import FCNHead

BLOCKS = {"resnet18": [2, 2, 2, 2], "resnet34": [3, 4, 6, 3], "resnet50": [3, 4, 6, 3], "resnet101": [3, 4, 23, 3]}


class DilatedBasicBlock(nn.Module):
    """Two 3 x 3 convolutions, both with the block's dilation; torchvision's refuses dilation."""

    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None, groups=1, base_width=64, dilation=1, norm_layer=None):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn1 = norm_layer(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def dilated_resnet(name, output_stride):
    """torchvision's ResNet, basic blocks dilated by the same rule as its bottlenecks."""
    block = resnet.Bottleneck if name in ("resnet50", "resnet101") else DilatedBasicBlock
    return resnet.ResNet(block, BLOCKS[name], replace_stride_with_dilation=[False, output_stride == 8, True])


def three_by_three(inputs):
    return [nn.Conv2d(inputs, 256, 3, padding=1, bias=False), nn.BatchNorm2d(256), nn.ReLU()]


def rates(output_stride):
    """Of the pyramid's dilated convolutions."""
    return [12, 24, 36] if output_stride == 8 else [6, 12, 18]


class Decoder(nn.Module):
    """48 channels of stage 1 beside the pyramid, two 3 x 3 convolutions, the classifier."""

    def __init__(self, low, high, classes, output_stride):
        super().__init__()
        self.project = nn.Sequential(nn.Conv2d(low, 48, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU())
        self.aspp = ASPP(high, rates(output_stride))
        self.classifier = nn.Sequential(*three_by_three(48 + 256), *three_by_three(256), nn.Conv2d(256, classes, 1))

    def forward(self, low, high):
        low = self.project(low)
        high = F.interpolate(self.aspp(high), size=low.shape[2:], mode="bilinear", align_corners=False)
        return self.classifier(torch.cat([low, high], dim=1))


class DeepLabV3Plus(nn.Module):
    """Images [N, 3, H, W] to {"out": scores [N, classes, H, W]}, and "aux" where there is an auxiliary head."""

    def __init__(self, backbone="resnet18", classes=19, output_stride=16, auxiliary=False):
        super().__init__()
        body = dilated_resnet(backbone, output_stride)
        channels = body.fc.in_features
        self.backbone = IntermediateLayerGetter(body, {"layer1": "low", "layer3": "aux", "layer4": "out"})
        self.classifier = Decoder(channels // 8, channels, classes, output_stride)
        self.aux_classifier = FCNHead(channels // 2, classes) if auxiliary else None

    def forward(self, x):
        maps = self.backbone(x)
        scores = {"out": self.classifier(maps["low"], maps["out"])}
        if self.aux_classifier is not None:
            scores["aux"] = self.aux_classifier(maps["aux"])
        resize = lambda s: F.interpolate(s, size=x.shape[2:], mode="bilinear", align_corners=False)
        return {name: resize(s) for name, s in scores.items()}


def network(backbone="resnet18", head="deeplabv3plus", classes=19, output_stride=16, auxiliary=False):
    """The network of a recipe's [model]: images [N, 3, H, W] to {"out": scores [N, classes, H, W]}."""
    if head == "deeplabv3plus":
        return DeepLabV3Plus(backbone, classes, output_stride, auxiliary)
    body = dilated_resnet(backbone, output_stride)
    channels = body.fc.in_features
    maps = {"layer4": "out", "layer3": "aux"} if auxiliary else {"layer4": "out"}
    aux = FCNHead(channels // 2, classes) if auxiliary else None
    return DeepLabV3(IntermediateLayerGetter(body, maps), DeepLabHead(channels, classes, rates(output_stride)), aux)
