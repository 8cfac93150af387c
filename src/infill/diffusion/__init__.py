"""Unconditional diffusion models and how they fill holes: RePaint and its target-guided form.

`schedule` (when to step and how far) needs NumPy alone; the rest imports PyTorch.
"""
