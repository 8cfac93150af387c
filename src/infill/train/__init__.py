"""Training of networks: `loop` is the one loop, each network has a file of its own beside it.

Needs the extra `train`. `python -m infill.train ddpm --help` tells what to type.
"""
