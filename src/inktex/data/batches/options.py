"""How strongly ink and pictures are changed in training."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from inktex.errors import ConfigError

USUAL_PEN_PX = 1.6  # of the field's fixed pictures: 4 px at symbols of 40

_PENS = ("pen_px", "canonicalized_pen_px")


@dataclass(frozen=True)
class AugmentOptions:
    """Strengths of the random changes, 0 for none; lengths are relative to a typical symbol unless in pixels.

    The shares say how many pictures are changed so at all; how much, is drawn anew for each.

    Attributes:
        strength: factor on all that follows but ``scale_range``; 0 draws as the field's fixed pictures are.
        pen_px: thinnest and thickest pen, in pixels of a picture whose symbols are 16 px large.
        canonicalized_pen_px: the same for the share ``canonicalized``; pens of more than 2.2 are thinned.
        scale: standard deviation of the logarithm of the whole ink's scale (drawn when batches are planned).
        scale_range: smallest and largest scale, all equally likely, in place of ``scale``.
        aspect: standard deviation of the logarithm of width against height.
        slant: standard deviation of the shear of x by y.
        rotation_deg: standard deviation of the rotation.
        perspective: standard deviation, for each axis, of how much nearer one end of the ink is.
        wave: largest amplitude of a smooth displacement of all points, where its wavelength is 4 symbols.
        symbol_scale: standard deviation of the logarithm of each symbol's own scale.
        symbol_shift: standard deviation of each symbol's own shift.
        symbol_rotation_deg: standard deviation of each symbol's own rotation.
        stroke_shift: standard deviation of each stroke's own shift.
        canonicalized: share drawn large with any pen and brought back as the recognizer does it, by its own
            estimate of the size of symbols, its thinning and its margins; without a pressure or wear.
        smoothing: share whose strokes are smoothed.
        coarsening: share whose strokes are made of straight pieces, as a slow tablet makes them.
        pressure: share drawn with a width that varies along the strokes.
        fading: share whose ink is weaker in some places.
        gaps: share with small holes in the strokes.
        ruling: share with traces of ruled lines.
        shade: share with traces of shadow.
        specks: share with specks.
        blur: share that is blurred a little.
        resampling: share that is made smaller and enlarged again.
        jpeg: share that is compressed at a low quality.
        noise: largest standard deviation of noise on the ink's grey values.
    """

    strength: float = 1.0
    pen_px: tuple[float, float] = (0.9, 3.2)
    canonicalized_pen_px: tuple[float, float] = (1.0, 4.2)
    scale: float = 0.18
    scale_range: tuple[float, float] | None = None
    aspect: float = 0.1
    slant: float = 0.2
    rotation_deg: float = 2.5
    perspective: float = 0.04
    wave: float = 0.1
    symbol_scale: float = 0.1
    symbol_shift: float = 0.03
    symbol_rotation_deg: float = 3.0
    stroke_shift: float = 0.02
    canonicalized: float = 0.5
    smoothing: float = 0.15
    coarsening: float = 0.1
    pressure: float = 0.15
    fading: float = 0.1
    gaps: float = 0.08
    ruling: float = 0.06
    shade: float = 0.06
    specks: float = 0.08
    blur: float = 0.2
    resampling: float = 0.1
    jpeg: float = 0.1
    noise: float = 0.06

    def __post_init__(self) -> None:
        if self.strength < 0:
            raise ConfigError(f"augment.strength must not be negative, got {self.strength:g}")
        if self.scale_range is not None and not 0 < self.scale_range[0] <= self.scale_range[1]:
            raise ConfigError(
                f"augment.scale_range must be a smallest and a largest factor, got {list(self.scale_range)}"
            )
        for name in _PENS:
            finest, coarsest = getattr(self, name)
            if not 0 < finest <= coarsest:
                raise ConfigError(
                    f"augment.{name} must be a thinnest and a thickest pen, got {[finest, coarsest]}"
                )

    def at_full_strength(self) -> AugmentOptions:
        """Return the options with the strength worked into all others."""
        scaled: dict[str, Any] = {
            item.name: self.strength * getattr(self, item.name)
            for item in fields(self)
            if item.name not in ("strength", "scale_range", *_PENS)
        }
        for name in _PENS:
            finest, coarsest = (
                USUAL_PEN_PX + self.strength * (pen - USUAL_PEN_PX) for pen in getattr(self, name)
            )
            scaled[name] = finest, coarsest
        return replace(self, strength=1.0, **scaled)

    def by_pen(self) -> tuple[AugmentOptions, AugmentOptions]:
        """Return the options with the thinner half of all pens, and with the thicker half.

        From the same random numbers both draw the same hand and paper.
        """
        thin: dict[str, Any] = {}
        thick: dict[str, Any] = {}
        for name in _PENS:
            finest, coarsest = getattr(self, name)
            middle = (finest + coarsest) / 2
            thin[name], thick[name] = (finest, middle), (middle, coarsest)
        return replace(self, **thin), replace(self, **thick)

    def scales(self, count: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
        """Draw the scales of so many pictures."""
        if self.scale_range is not None:
            return rng.uniform(*self.scale_range, count).astype(np.float32)
        return np.exp(rng.normal(0, self.scale, count)).astype(np.float32)


NO_AUGMENTATION = AugmentOptions(strength=0).at_full_strength()
