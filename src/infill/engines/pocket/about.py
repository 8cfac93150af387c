"""What the file of weights is, for the cards of the engines that use it."""

from infill.engines.base import Weights

WEIGHTS = Weights(
    "infill/engines/pocket/pocket.onnx",
    12_396_230,
    "66693693302edf68d33917c8d0c8e6879f2d48740d72cedb6c5110c360620183",
)
"""The file beside this one."""

PARAMETERS = 6_179_900
"""Of what fills; the rough guess, which serves training, is not in the file."""

ARCHITECTURE = (
    "gated encoder and decoder, dilated residual blocks at 1/8 and 1/16 of the size, "
    "self-attention at 1/16; ONNX"
)

LICENCE = "code Apache-2.0; weights for research: most of the photos they learned from are for it"
