"""How a target picture guides the filling: weights over time and masks over the photo.

Gebre, Saxena and Tran 2024, "Fill in the ____ (a Diffusion-based Image Inpainting Pipeline)",
arXiv 2403.16016. With the scene s, the target y, m = 1 where the scene is known, and the model's
own denoised sample x' at step t - 1, each reverse step of RePaint becomes

    s_{t-1} = √ᾱ_{t-1} s + √(1 - ᾱ_{t-1}) z          the scene, diffused
    y_{t-1} = √ᾱ_{t-1} y + √(1 - ᾱ_{t-1}) z          the target, diffused
    c_{t-1} = λ_t y_{t-1} + (1 - λ_t) x'_{t-1}       the mask conflict, resolved
    x_{t-1} = m s_{t-1} + (1 - m) c_{t-1}

with z ~ N(0, I). λ_t is 1 for the target as it is, and 0 for plain RePaint. (The sampler takes
one z a step for all that is mixed, so that mixing does not thin the noise out.)
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Kind = Literal["linear", "constant"]


def lambdas(kind: Kind, start: float, p: float, steps: int) -> NDArray[np.float64]:
    """(steps,) float64: λ at each reverse step, from the noisiest (entry 0) to the last.

    "linear": λ_i = start · max(0, 1 - i / (p · steps)): falls evenly from `start` and is 0 from
    the fraction p of the steps on, so that the target is laid down early and the model blends it
    in late. "constant": `start` throughout, whatever p is. start and p lie in [0, 1].

    Entry i belongs to a noise level (step steps - 1 - i), not to a moment: where the walk jumps
    back up, λ rises again with the noise.

    Raises `ValueError` for another kind or a value out of range.
    """
    if not (0 <= start <= 1 and 0 <= p <= 1):
        raise ValueError(f"lambda and p lie between 0 and 1, not {start} and {p}")
    if steps < 1:
        raise ValueError(f"there is at least one step, not {steps}")
    if kind == "constant":
        return np.full(steps, start, np.float64)
    if kind != "linear":
        raise ValueError(f"lambda falls as linear or constant, not {kind!r}")
    if p == 0:
        return np.zeros(steps)
    end = p * steps
    return start * (1.0 - np.minimum(np.arange(steps), end) / end)


def heated(mask: NDArray[np.bool_], width: int, passes: int) -> NDArray[np.float32]:
    """The heated mask: 1 in the hole, and warm around it, so that the model sees more context.

    mask:    (H, W) bool, True = hole.
    width:   how far the heat may reach, in pixels; 0 = the mask as it is.
    passes:  how often it spreads. Each pass is a step of the heat equation ∂u/∂t = Δu: a pixel
        takes the mean of the 3 × 3 around it. The hole is held at 1, what lies farther than
        `width` at 0. Few passes warm the rim only; many come near to a straight fall over `width`.
    returns: (H, W) float32 in [0, 1], the share of the model; 1 minus it is that of the scene.
    """
    if width < 0 or passes < 0:
        raise ValueError(f"width and passes are 0 or more, not {width} and {passes}")
    import cv2

    heat = mask.astype(np.float32)
    if not width or not mask.any():
        return heat
    away = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    cold = away > width
    for _ in range(passes):
        heat = np.asarray(cv2.blur(heat, (3, 3), borderType=cv2.BORDER_REPLICATE))
        heat[mask], heat[cold] = 1, 0
    return np.clip(heat, 0, 1)


def inside(mask: NDArray[np.bool_], buffer: int) -> NDArray[np.bool_]:
    """Where the target counts: the hole without a margin of `buffer` pixels, the scene buffer.

    The margin is left to the model alone, so that the target's own background need not match the
    scene. (H, W) bool in and out, True = hole, and True = target. Where the hole meets the
    photo's border there is no scene, and no margin.
    """
    if buffer < 0:
        raise ValueError(f"buffer is 0 or more pixels, not {buffer}")
    if not buffer or mask.all():
        return mask.copy()
    import cv2

    deep = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(deep > buffer)


@dataclass(frozen=True, eq=False)
class Target:
    """A picture that the fill is to come close to.

    pixels:  (N, 3, H, W) float32 in [-1, 1], or (1, 3, H, W) for all N alike.
    weight:  (N, 1, H, W) or (1, 1, H, W) float32 in [0, 1]: where it counts; λ is scaled by it.
    lambdas: (steps,) float64 in [0, 1], for each of the plan's steps from the noisiest on.
    """

    pixels: "torch.Tensor"
    weight: "torch.Tensor"
    lambdas: NDArray[np.float64]
