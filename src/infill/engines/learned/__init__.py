"""Engines of networks that fill in one pass, with weights that others published.

| module | what it does |
|---|---|
| `deepfill` | the engine of DeepFillv2 |
| `lama` | the engine of LaMa, with refinement for large photos |
| `engine` | what both share: options, where weights are found, the way of a fill |
| `running` | a network made ready for a device and kept for the next fill |
| `fitting` | a fill within the memory there is: together, one by one, or smaller |

The networks themselves are in `infill.nets`; docs/checkpoints.md says what files fit.
"""
