"""Networks that fill holes in one pass, or look at photos, and the reading of their weights.

| module | what it is |
|---|---|
| `deepfill` | DeepFillv2: gated convolutions and contextual attention, with its discriminator |
| `lama` | LaMa: fast Fourier convolutions, with feature refinement for large photos |
| `loading` | published checkpoints into these networks, without running what may be in them |
| `alexnet`, `vgg`, `lpips`, `inception` | what metrics and losses see photos with |
| `backbones` | published files into those |

Nothing here knows of photos, masks or engines: tensors in, tensors out. Parameters have the names
and shapes of the published files (docs/checkpoints.md).
"""
