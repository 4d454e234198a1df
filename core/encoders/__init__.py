"""Encoders turn videos and text into vectors of one space. One file a backend."""
