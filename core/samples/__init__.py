"""The sample library: short animated scenes that our own code draws, scores and films."""
