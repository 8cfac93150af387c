"""Losses of filling networks against plain statements of their formulas in NumPy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.ndimage import correlate1d
from torch import Tensor, nn

from infill.errors import MissingWeights
from infill.nets.vgg import Vgg16
from infill.train.discriminator import Patch
from infill.train.losses import adversarial, perceptual, pixels, similarity

RNG = np.random.default_rng(0)


def tensors(*shape: int, count: int = 2) -> list[Tensor]:
    return [torch.from_numpy(RNG.uniform(-1, 1, shape).astype(np.float32)) for _ in range(count)]


def hole(count: int = 2, side: int = 8) -> Tensor:
    mask = torch.zeros(count, 1, side, side)
    mask[:, :, 2:5, 3:] = 1
    return mask


class TestPixels:
    @pytest.mark.parametrize(("inside", "outside"), [(1.0, 1.0), (6.0, 1.0), (2.0, 0.0)])
    def test_l1_is_the_weighted_mean(self, inside: float, outside: float) -> None:
        made, truth = tensors(2, 3, 8, 8)
        mask = hole()
        weight = np.where(mask.numpy() > 0, inside, outside)
        expected = np.mean(weight * np.abs(made.numpy() - truth.numpy()))
        got = pixels.l1(made, truth, mask, inside, outside)
        assert got.item() == pytest.approx(expected, rel=1e-5)

    def test_coarse_counts_all_but_the_last(self) -> None:
        first, second, last, truth = tensors(2, 3, 8, 8, count=4)
        got = pixels.coarse([first, second, last], truth, hole(), hole=1.0, known=1.0)
        expected = sum(np.abs((made - truth).numpy()).mean() for made in (first, second))
        assert got.item() == pytest.approx(expected, rel=1e-5)
        assert pixels.coarse([last], truth, hole()) == 0

    def test_pasted_keeps_what_is_known(self) -> None:
        made, truth = tensors(2, 3, 8, 8)
        mask = hole()
        whole = pixels.pasted(made, truth, mask)
        assert torch.equal(whole * (1 - mask), truth * (1 - mask))
        assert torch.equal(whole * mask, made * mask)


class TestAdversarial:
    def test_hinge(self) -> None:
        real, fake = (3 * value for value in tensors(2, 5, 4, 4))
        a, b = real.numpy().astype(np.float64), fake.numpy().astype(np.float64)
        expected = np.maximum(0, 1 - a).mean() + np.maximum(0, 1 + b).mean()
        assert adversarial.hinge_discriminator(real, fake).item() == pytest.approx(
            expected, rel=1e-5
        )
        assert adversarial.hinge_generator(fake).item() == pytest.approx(-b.mean(), rel=1e-5)

    def test_r1_is_half_the_square_of_the_slope_by_finite_differences(self) -> None:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 2, 3)).double()
        real = torch.rand(2, 3, 6, 6)
        squares = []
        with torch.no_grad():
            for picture in real.double():
                total = 0.0
                for place in range(picture.numel()):
                    step = torch.zeros(picture.numel(), dtype=torch.float64)
                    step[place] = 1e-5
                    moved = picture + step.view_as(picture), picture - step.view_as(picture)
                    above, below = (network(one[None]).mean(dim=1).sum() for one in moved)
                    total += float((above - below) / 2e-5) ** 2
                squares.append(total)
        got = adversarial.r1(network.float(), real)
        assert got.item() == pytest.approx(np.mean(squares) / 2, rel=1e-3)
        got.backward()
        assert network[0].weight.grad is not None

    def test_r1_is_computed_in_float32_under_autocast(self) -> None:
        network = nn.Conv2d(3, 2, 3)
        real = torch.rand(1, 3, 6, 6)
        plain = adversarial.r1(network, real)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(adversarial.r1(network, real), plain)

    def test_feature_matching(self) -> None:
        real, fake = (
            tensors(2, 4, 3, 3) + tensors(2, 2, 6, 6),
            tensors(2, 4, 3, 3) + tensors(2, 2, 6, 6),
        )
        expected = np.mean(
            [np.abs(a.numpy() - b.numpy()).mean() for a, b in zip(real, fake, strict=True)]
        )
        assert adversarial.feature_matching(real, fake).item() == pytest.approx(expected, rel=1e-5)

    def test_the_weight_rises_on_a_line(self) -> None:
        weights = [adversarial.weight_at(done, 0.3, 0.2) for done in (0.0, 0.29, 0.3, 0.4, 0.5, 1)]
        assert weights == pytest.approx([0, 0, 0, 0.5, 1, 1])
        assert adversarial.weight_at(0.0, 0.0, 0.0) == 1


def literal_ms_ssim(a: np.ndarray, b: np.ndarray, weights: list[float]) -> float:
    """Equation 7 of Wang et al. 2003 for one channel, written out in float64."""
    places = np.arange(11) - 5
    bell = np.exp(-(places**2) / (2 * 1.5**2))
    bell /= bell.sum()

    def smooth(x: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(x, bell, axis=0), bell, axis=1)[5:-5, 5:-5]

    total = 1.0
    for scale, weight in enumerate(weights):
        mean_a, mean_b = smooth(a), smooth(b)
        var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
        both = smooth(a * b) - mean_a * mean_b
        contrast = (2 * both + 0.03**2) / (var_a + var_b + 0.03**2)
        light = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        last = scale == len(weights) - 1
        total *= np.mean(light * contrast if last else contrast) ** weight
        if last:
            break
        a, b = (x.reshape(len(x) // 2, 2, -1, 2).mean(axis=(1, 3)) for x in (a, b))
    return total


class TestSimilarity:
    @pytest.mark.parametrize(("side", "scales"), [(176, 5), (96, 4), (16, 1)])
    def test_is_the_product_over_the_scales(self, side: int, scales: int) -> None:
        assert similarity.scales_of(side) == scales
        smooth = correlate1d(RNG.random((side, side)), np.ones(5) / 5, axis=0)
        other = np.clip(smooth + 0.1 * RNG.normal(size=smooth.shape), 0, 1)
        weights = np.array(similarity.WEIGHTS[:scales])
        expected = literal_ms_ssim(smooth, other, list(weights / weights.sum()))
        a, b = (torch.from_numpy(x).view(1, 1, side, side) for x in (smooth, other))
        assert similarity.ms_ssim(a, b).item() == pytest.approx(expected, abs=1e-4)

    def test_one_scale_is_scikit_image_s_ssim(self) -> None:
        from skimage.metrics import structural_similarity

        a, b = RNG.random((2, 20, 20, 3))
        b = 0.7 * a + 0.3 * b
        expected = structural_similarity(
            *(a, b),
            channel_axis=2,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        got = similarity.ms_ssim(*(torch.from_numpy(x).permute(2, 0, 1)[None] for x in (a, b)))
        assert got.item() == pytest.approx(expected, abs=1e-4)

    def test_alike_is_one_and_the_slope_is_finite(self) -> None:
        a, b = torch.rand(2, 1, 3, 48, 48)
        assert similarity.ms_ssim(a, a).item() == pytest.approx(1)
        b.requires_grad_(True)
        (1 - similarity.ms_ssim(b, 1 - a)).backward()
        assert torch.isfinite(b.grad).all()


class TestPerceptual:
    def test_is_the_mean_distance_of_the_layers(self) -> None:
        torch.manual_seed(0)
        features = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 2, 3), nn.Tanh()
        )
        loss = perceptual.Perceptual(features, (1, 3))
        made, truth = tensors(2, 3, 8, 8)
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
        with torch.no_grad():
            a, b = (((x + 1) / 2 - mean) / deviation for x in (made, truth))
            parts = [(part(a) - part(b)).abs().mean() for part in (features[:2], features)]
        assert loss(made, truth).item() == pytest.approx(float(sum(parts)) / 2, rel=1e-5)
        assert not any(weight.requires_grad for weight in loss.parameters())

    def test_its_network_is_read_from_a_file(self, tmp_path: Path) -> None:
        torch.manual_seed(0)
        network = Vgg16((4, 4, 6, 4, 4))
        state = {**network.state_dict(), "classifier.0.weight": torch.zeros(2, 2)}
        torch.save(state, tmp_path / "vgg16.pth")
        loss = perceptual.load(tmp_path / "vgg16.pth")
        made, truth = tensors(2, 3, 16, 16)
        with torch.no_grad():
            shown = perceptual.Perceptual(network.features)(made, truth)
        assert torch.equal(loss(made, truth), shown)

    def test_weights_of_another_network_are_refused(self, tmp_path: Path) -> None:
        save_file({"other": torch.zeros(1)}, tmp_path / "w.safetensors")
        with pytest.raises(MissingWeights, match=r"losses\.vgg names no weights of VGG-16"):
            perceptual.load(tmp_path / "w.safetensors")


class TestPatch:
    def test_has_a_map_and_the_features_before_it(self) -> None:
        verdicts, features = Patch(width=4, layers=3)(torch.zeros(2, 3, 32, 32), hole(2, 32))
        assert verdicts.shape == (2, 16, 4, 4)
        assert [tuple(one.shape) for one in features] == [(2, 4, 16, 16), (2, 8, 8, 8)]

    def test_sees_the_mask(self) -> None:
        torch.manual_seed(0)
        network, picture = Patch(width=4, layers=2), torch.zeros(1, 3, 16, 16)
        with torch.no_grad():
            one, other = (network(picture, mask)[0] for mask in (hole(1, 16), 1 - hole(1, 16)))
        assert not torch.equal(one, other)

    def test_its_layers_come_to_a_norm_of_one(self) -> None:
        torch.manual_seed(0)
        network = Patch(width=4, layers=2).train()
        for _ in range(60):
            network(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))
        for layer in network.layers:
            flat = layer.normalised().detach().flatten(1).numpy()
            assert np.linalg.norm(flat, 2) == pytest.approx(1, abs=0.02)
