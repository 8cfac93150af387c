"""What networks are to make small.

| module | what it does |
|---|---|
| `noise` | the noise prediction of diffusion networks |
| `pixels` | L1, in the hole and outside |
| `adversarial` | hinge, the R1 penalty, feature matching |
| `similarity` | multi-scale SSIM |
| `perceptual` | distance of the features of VGG-16 |
"""
