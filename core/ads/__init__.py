"""Ads where they belong: the moments at which a video can be interrupted, and which of them an ad suits."""
