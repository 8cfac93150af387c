"""Training of networks: `loop` is the one loop, `inpaint` and `ddpm` are what it trains.

Needs the extra `train`. `infill train --help` tells what to type; `docs/training.md` tells more.
"""
