"""Stores hold bytes. One file a backend."""
