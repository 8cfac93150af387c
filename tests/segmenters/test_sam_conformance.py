"""What every segmenter must do, by networks of each family, small and random."""

import pytest

from infill.segmenters.sam import Options, Sam
from tests.conformance import assert_segmenter

pytest.importorskip("torch", reason="torch is not installed (extra: segment)")
pytest.importorskip("transformers", reason="transformers is not installed (extra: segment)")


SIZES = ((1, 1), (1, 40), (33, 1), (24, 31))


@pytest.mark.parametrize("kind", ["sam", "sam_hq", "sam2", "sam3_tracker"])
def test_conformance(kind: str) -> None:
    from tests.segmenters.sam_models import folder

    segmenter = Sam(Options(checkpoint=str(folder(kind)), device="cpu"))
    assert_segmenter(segmenter, sizes=SIZES, kinds=("points", "box", "brush"))
