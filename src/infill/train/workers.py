"""The gradients of one batch, computed by one thread or by several, whole or part by part."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import nn

from infill.train.config import check
from infill.train.tables import RunConfig
from infill.train.turns import Batch, Networks, Told, Turn


class Workers:
    """Gradients of one batch by several threads, each of which takes its part of the pictures.

    On processors that others use too, this is several times as fast as sharing out every single
    operation, where all threads wait for the slowest some thousand times a step; here they wait
    once. Every thread has a copy of the networks' modules with the same weights in memory, and
    gradients of its own, which are added up in a fixed order.

    A buffer belongs to its copy. The power iteration of spectral normalisation follows from the
    weights alone, so it stays the same in all copies; statistics of batch normalisation are those
    of the first copy's pictures. Raises `BadOption` for a network with dropout and several threads.

    With `accumulate` the parts are smaller still and come one after the other; the gradient is
    that of the whole batch all the same, as long as a loss is a mean over pictures.
    """

    def __init__(self, networks: Networks, config: RunConfig, process: int = 0) -> None:
        self.config, self.process = config, process
        drops = any(
            isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0
            for network in networks.values()
            for module in network.modules()
        )
        check(
            config.workers == 1 or not drops,
            "a network with dropout takes run.workers = 1: threads share one generator, so that "
            "what is dropped would hang on which of them comes first",
        )
        self.copies = [networks] + [
            copy.deepcopy(dict(networks)) for _ in range(config.workers - 1)
        ]
        for other in self.copies[1:]:
            for name, network in networks.items():
                pairs = zip(other[name].parameters(), network.parameters(), strict=True)
                for theirs, ours in pairs:
                    theirs.data = ours.data
        self.kind = next(next(iter(networks.values())).parameters()).device.type
        self.pool: ThreadPoolExecutor | None = None
        if config.workers > 1:
            self.pool = ThreadPoolExecutor(
                config.workers, initializer=torch.set_num_threads, initargs=(1,)
            )

    def gradients(self, turn: Turn, batch: Batch, step: int) -> Told:
        """Add the gradients of the batch's mean loss to the weights of the network whose turn it
        is; what the loss told, over the whole batch."""
        for networks in self.copies:
            for name, network in networks.items():
                network.requires_grad_(name == turn.learns)
        parts = split(batch, self.config.workers * self.config.accumulate)
        whole = size(batch)
        told: list[tuple[float, Told]] = []
        for start in range(0, len(parts), len(self.copies)):
            group = parts[start : start + len(self.copies)]
            jobs = [
                (copy_, turn, part, size(part) / whole, step, start + copy_)
                for copy_, part in enumerate(group)
            ]
            told += (
                self.pool.map(self._part, *zip(*jobs, strict=True))
                if self.pool
                else [self._part(*job) for job in jobs]
            )
        self._gather(turn.learns)
        return joined(told)

    def _part(
        self, copy_: int, turn: Turn, batch: Batch, share: float, step: int, number: int
    ) -> tuple[float, Told]:
        every = self.config.workers * self.config.accumulate
        draw = generator(self.config.seed, step, self.process * every + number)
        bf16 = self.config.precision == "bf16"
        with torch.autocast(self.kind, torch.bfloat16, enabled=bf16):
            told = turn.loss(self.copies[copy_], batch, draw)
        (told.loss * share).backward()
        return share, told

    def _gather(self, learns: str) -> None:
        """Bring the gradients of all copies to the first."""
        for other in self.copies[1:]:
            pairs = zip(
                self.copies[0][learns].parameters(), other[learns].parameters(), strict=True
            )
            for ours, theirs in pairs:
                if ours.grad is not None and theirs.grad is not None:
                    ours.grad.add_(theirs.grad)
                theirs.grad = None

    def close(self) -> None:
        """End the threads."""
        if self.pool is not None:
            self.pool.shutdown()


def size(batch: Batch) -> int:
    """The pictures of a batch."""
    return len(next(iter(batch.values())))


def split(batch: Batch, count: int) -> list[Batch]:
    """A batch in `count` parts, nearly equal and none empty."""
    if count == 1:
        return [batch]
    columns = {name: value.tensor_split(count) for name, value in batch.items()}
    return [{name: column[index] for name, column in columns.items()} for index in range(count)]


def joined(told: list[tuple[float, Told]]) -> Told:
    """The means over parts with their shares of the batch, and all that they kept, in order."""
    if len(told) == 1:
        only = told[0][1]
        return Told(only.loss.detach(), only.figures, only.kept)
    first = told[0][1]
    figures = {
        name: torch.stack([share * part.figures[name] for share, part in told]).sum()
        for name in first.figures
    }
    kept = {name: torch.cat([part.kept[name] for _, part in told]) for name in first.kept}
    return Told(
        torch.stack([share * part.loss.detach() for share, part in told]).sum(), figures, kept
    )


def generator(seed: int, step: int, part: int) -> torch.Generator:
    """The randomness of the loss in one part of the batch of one step."""
    return torch.Generator("cpu").manual_seed(number_of(seed, step, part))


def number_of(*key: int) -> int:
    """A whole number below 2^63 that follows from the key."""
    number = np.random.SeedSequence(key).generate_state(1, np.uint64)[0]
    return int(number >> np.uint64(1))
