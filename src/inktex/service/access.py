"""Who may ask, and how often."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from inktex.service.errors import Reason, RequestError

_MOST_CLIENTS = 10_000  # that are remembered; those that were away the longest are forgotten


def is_key(offered: str | None, keys: Sequence[str]) -> bool:
    """Tell whether a key is one of the service's; how long that takes tells nothing about them."""
    given = (offered or "").encode()
    return any(hmac.compare_digest(given, key.encode()) for key in keys)


def is_signed(body: bytes, application: str, signature: str, keys: Sequence[str]) -> bool:
    """Tell whether a body has MyScript's signature under one of the keys.

    It is the HMAC-SHA512 of the body under the application's key and the secret one joined, in hexadecimal.
    """
    given = signature.strip().lower().encode()
    expected = [hmac.new((application + key).encode(), body, hashlib.sha512).hexdigest() for key in keys]
    return any(hmac.compare_digest(given, each.encode()) for each in expected)


class RateLimit:
    """A bucket of tokens for every client: a request takes one, and they come back at a steady rate.

    Args:
        rate_per_s: tokens that come back a second; 0 is any number.
        burst: tokens of a full bucket.
        clock: seconds.
    """

    def __init__(self, rate_per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_per_s, self._burst, self._clock = rate_per_s, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client: (tokens, when)

    def take(self, client: str) -> None:
        """Take a token.

        Raises:
            RequestError: the client's bucket is empty; it says when there is one again.
        """
        if self._rate_per_s == 0:
            return
        now = self._clock()
        tokens, when = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - when) * self._rate_per_s)
        if len(self._buckets) >= _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if tokens >= 1:
            self._buckets[client] = tokens - 1, now
            return
        self._buckets[client] = tokens, now
        again_s = math.ceil((1 - tokens) / self._rate_per_s)
        raise RequestError(
            429, "too many requests of one client; try again later", Reason.OVERLOADED, again_s
        )
