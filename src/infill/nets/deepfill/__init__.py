"""DeepFillv2: "Free-Form Image Inpainting with Gated Convolution" (Yu et al., ICCV 2019).

| module | what it does |
|---|---|
| `layers` | gated convolution, its strided and its up-sampling form |
| `attention` | the contextual-attention layer of Yu et al. (CVPR 2018) |
| `flow` | a colour picture of where the attention looked |
| `generator` | the coarse and the refinement network |
| `discriminator` | SN-PatchGAN |
| `names` | names of the parameters in the files converted from TensorFlow |

Everything comes in two layouts, which have the same weights and differ in three places:

| | `plain` | `tf` |
|---|---|---|
| padding of strided convolutions | the same on both sides | TensorFlow's "same": more at the end |
| nearest neighbour, made smaller | every n-th row and column from the first | corners aligned |
| scores fused in the attention | yes | no, as in the published port |
"""

from infill.nets.deepfill.attention import ContextualAttention, attention_bytes
from infill.nets.deepfill.discriminator import Discriminator
from infill.nets.deepfill.flow import flow_picture
from infill.nets.deepfill.generator import MULTIPLE, Generator, Looked, prepare
from infill.nets.deepfill.layers import GatedConv, GatedUp, Layout

__all__ = [
    "MULTIPLE",
    "ContextualAttention",
    "Discriminator",
    "GatedConv",
    "GatedUp",
    "Generator",
    "Layout",
    "Looked",
    "attention_bytes",
    "flow_picture",
    "prepare",
]
