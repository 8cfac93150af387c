"""LaMa: "Resolution-robust Large Mask Inpainting with Fourier Convolutions" (Suvorov et al., 2021).

| module | what it does |
|---|---|
| `fourier` | fast Fourier convolution (Chi et al. 2020): a local and a global branch |
| `generator` | the encoder, residual blocks and decoder made of it |
| `refinement` | refinement of the features for large photos (Kulshreshtha et al. 2022) |
"""

from infill.nets.lama.fourier import FFC, FourierBlock, FourierUnit, SpectralTransform
from infill.nets.lama.generator import MULTIPLE, Generator, Shape, prepare
from infill.nets.lama.refinement import Plan, refine, scales

__all__ = [
    "FFC",
    "MULTIPLE",
    "FourierBlock",
    "FourierUnit",
    "Generator",
    "Plan",
    "Shape",
    "SpectralTransform",
    "prepare",
    "refine",
    "scales",
]
