"""What is kept of photos: bounded, the last used, computed once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from infill.segmenters.base import SegmenterCard
from infill.segmenters.cache import EmbeddingCache, content_hash


@dataclass(frozen=True)
class Kept:
    nbytes: int
    size: tuple[int, int] = (1, 1)


class Counted:
    """A `make` that says how often it was called."""

    def __init__(self, nbytes: int = 10) -> None:
        self.calls = 0
        self.nbytes = nbytes

    def __call__(self) -> Kept:
        self.calls += 1
        return Kept(self.nbytes)


class TestBounds:
    def test_a_second_look_computes_nothing(self) -> None:
        cache, make = EmbeddingCache(100), Counted()
        assert cache.get("a", make) is cache.get("a", make)
        assert (make.calls, cache.hits, cache.misses, len(cache), cache.nbytes) == (1, 1, 1, 1, 10)

    def test_what_was_used_longest_ago_goes_first(self) -> None:
        cache = EmbeddingCache(30)
        makes = {key: Counted() for key in "abcd"}
        for key in "abc":
            cache.get(key, makes[key])
        cache.get("a", makes["a"])  # now b is the oldest
        cache.get("d", makes["d"])
        for key in "acd":
            cache.get(key, makes[key])
        assert [makes[key].calls for key in "abcd"] == [1, 1, 1, 1]
        cache.get("b", makes["b"])
        assert makes["b"].calls == 2

    def test_exactly_the_limit_is_kept(self) -> None:
        cache = EmbeddingCache(20)
        cache.get("a", Counted())
        cache.get("b", Counted())
        assert len(cache) == 2
        assert cache.nbytes == 20

    def test_one_larger_than_the_limit_is_returned_and_pushes_nothing_out(self) -> None:
        cache, small, large = EmbeddingCache(20), Counted(), Counted(21)
        cache.get("small", small)
        assert cache.get("large", large).nbytes == 21
        assert len(cache) == 1
        cache.get("large", large)
        cache.get("small", small)
        assert (small.calls, large.calls) == (1, 2)

    def test_a_large_one_pushes_out_as_many_as_it_needs(self) -> None:
        cache = EmbeddingCache(30)
        for key in "abc":
            cache.get(key, Counted())
        cache.get("d", Counted(15))
        assert cache.nbytes == 25

    def test_a_limit_of_zero_keeps_nothing(self) -> None:
        cache, make = EmbeddingCache(0), Counted()
        cache.get("a", make)
        cache.get("a", make)
        assert (make.calls, len(cache)) == (2, 0)

    def test_clear(self) -> None:
        cache, make = EmbeddingCache(100), Counted()
        cache.get("a", make)
        cache.clear()
        assert (len(cache), cache.nbytes) == (0, 0)
        cache.get("a", make)
        assert make.calls == 2


class TestErrorsAndThreads:
    def test_an_error_is_passed_on_and_not_kept(self) -> None:
        cache, make = EmbeddingCache(100), Counted()

        def fail() -> Kept:
            raise ValueError("no")

        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                cache.get("a", fail)
        assert cache.get("a", make).nbytes == 10

    def at_once(self, cache: EmbeddingCache, make: Callable[[], Any], callers: int) -> list[Any]:
        """What so many threads get for one key, the first of them held until all have asked."""
        started, asked = threading.Event(), threading.Semaphore(0)

        def slow() -> Any:
            started.set()
            for _ in range(callers - 1):
                assert asked.acquire(timeout=30)
            return make()

        def later() -> Any:
            assert started.wait(30)
            asked.release()
            return cache.get("a", make)

        with ThreadPoolExecutor(callers) as pool:
            calls = [pool.submit(cache.get, "a", slow)]
            calls += [pool.submit(later) for _ in range(callers - 1)]
            return [call.exception() or call.result() for call in calls]

    def test_callers_at_the_same_time_share_one_computation(self) -> None:
        cache, make = EmbeddingCache(100), Counted()
        states = self.at_once(cache, make, 6)
        assert len({id(state) for state in states}) == 1
        assert make.calls == 1
        assert not cache._making

    def test_who_waited_for_one_that_failed_tries_again(self) -> None:
        cache = EmbeddingCache(100)
        calls = []

        def first_fails() -> Kept:
            calls.append(len(calls))
            if len(calls) == 1:
                raise ValueError("no")
            return Kept(10)

        answers = self.at_once(cache, first_fails, 3)
        assert sum(isinstance(answer, ValueError) for answer in answers) == 1
        assert sum(isinstance(answer, Kept) for answer in answers) == 2
        assert len(calls) == 2

    def test_other_keys_do_not_wait(self) -> None:
        cache, inside, go = EmbeddingCache(100), threading.Event(), threading.Event()

        def slow() -> Kept:
            inside.set()
            assert go.wait(30)
            return Kept(1)

        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(cache.get, "slow", slow)
            assert inside.wait(30)
            assert cache.get("quick", Counted()).nbytes == 10
            go.set()
            assert waiting.result().nbytes == 1

    def test_nothing_is_left_behind_for_a_key_that_was_found(self) -> None:
        cache, make = EmbeddingCache(100), Counted()
        for _ in range(3):
            cache.get("a", make)
        assert not cache._making


class TestPhotos:
    @dataclass
    class Fake:
        card = SegmenterCard("fake", "", "", "", "", "", True)
        options: str = "one"
        seen: list[Any] = field(default_factory=list)

        def embed(self, pixels: Any) -> Kept:
            self.seen.append(pixels)
            return Kept(pixels.nbytes)

        def segment(self, state: Any, prompt: Any) -> list[Any]:
            return []

    def test_the_same_pixels_in_another_array_are_the_same_photo(self) -> None:
        cache, fake = EmbeddingCache(10_000), self.Fake()
        photo = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
        assert cache.state(fake, photo) is cache.state(fake, photo.copy())
        assert len(fake.seen) == 1

    def test_other_pixels_shape_or_options_are_another(self) -> None:
        cache, fake = EmbeddingCache(10_000), self.Fake()
        photo = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
        cache.state(fake, photo)
        cache.state(fake, photo + np.uint8(1))
        cache.state(fake, photo.reshape(5, 4, 3))
        fake.options = "two"
        cache.state(fake, photo)
        assert len(fake.seen) == 4

    def test_a_key_that_the_caller_knows_stands_for_the_pixels(self) -> None:
        cache, fake = EmbeddingCache(10_000), self.Fake()
        photo = np.zeros((4, 5, 3), np.uint8)
        assert cache.state(fake, photo, "upload-1") is cache.state(fake, photo + 1, "upload-1")
        cache.state(fake, photo, "upload-2")
        assert len(fake.seen) == 2

    def test_the_hash_is_of_shape_and_bytes_in_whatever_order_they_lie(self) -> None:
        photo = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
        turned = np.asfortranarray(photo)
        assert content_hash(turned) == content_hash(photo)
        assert content_hash(photo.reshape(5, 4, 3)) != content_hash(photo)
        assert content_hash(photo.view(np.int8)) != content_hash(photo)
        assert len(content_hash(photo)) == 64
