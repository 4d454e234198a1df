"""How much a sound is like speech: it swings at the pace of syllables (Scheirer and Slaney 1997)."""

from __future__ import annotations

import numpy as np

VOICE_HZ = (250, 3500)


def syllables(band: np.ndarray, hop_s: float) -> float:
    """Return how much the power of the voice's band, one value every `hop_s`, swings at 2.5 to 8 Hz: 0 to 1."""
    level = np.log10(band + 1e-3 * band.max())
    level -= level.mean()
    swing = np.abs(np.fft.rfft(level * np.hanning(level.size))) ** 2
    pace = np.fft.rfftfreq(level.size, hop_s)
    at_pace = swing[(pace >= 2.5) & (pace <= 8)].sum() / (swing[pace > 0.5].sum() + 1e-9)
    return float(at_pace * min(level.std() / 0.5, 1.0))
