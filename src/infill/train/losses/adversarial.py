"""A network against a discriminator, which gives a verdict at every point of a map."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, relu


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))], the means over every point of the map.

    Yu et al. 2019, who call it SN-PatchGAN; Lim and Ye, "Geometric GAN", 2017.
    real, fake: maps of any one shape, (N, ...). A scalar, float32.
    """
    return relu(1 - real.float()).mean() + relu(1 + fake.float()).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """-E[D(G(z))]: Yu et al. 2019, SN-PatchGAN."""
    return -fake.float().mean()


def r1(discriminate: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """½ E[‖∇D(x)‖²] on real pictures, without its γ: Mescheder, Geiger and Nowozin, "Which
    Training Methods for GANs do actually Converge?", 2018, equation 9.

    D is the sum over the places of a picture's map, as in the code of Suvorov et al. 2021 (LaMa),
    of the mean over its channels, where it has several. Taken every k steps and multiplied by k, it
    costs little: Karras et al. 2020 (StyleGAN2), appendix B.

    discriminate: pictures (N, 3, H, W) → their maps (N, C, h, w). Returns a scalar, float32,
    computed so even under autocast, since the square of a gradient has few digits to lose.
    """
    with torch.autocast(real.device.type, enabled=False), torch.enable_grad():
        pictures = real.detach().float().requires_grad_(True)
        verdicts = discriminate(pictures).mean(dim=1).sum()
        (slope,) = torch.autograd.grad(verdicts, pictures, create_graph=True)
        return slope.square().flatten(1).sum(dim=1).mean() / 2


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The mean over the layers of the mean |D_i(x) - D_i(G(z))|: Wang et al., "High-Resolution
    Image Synthesis and Semantic Manipulation with Conditional GANs", 2018, equation 4.

    real, fake: features of each layer, (N, C, H, W); those of the real pictures are constants.
    """
    parts = [
        l1_loss(made.float(), true.detach().float()) for true, made in zip(real, fake, strict=True)
    ]
    return torch.stack(parts).mean()


def weight_at(done: float, begin: float, ramp: float) -> float:
    """How much of the adversarial part counts when a fraction `done` of the run is over: 0
    before `begin`, then up a straight line to 1 at `begin + ramp`."""
    if done < begin:
        return 0.0
    return 1.0 if ramp == 0 else min(1.0, (done - begin) / ramp)
