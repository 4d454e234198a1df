"""The environment of a process under test."""

from __future__ import annotations

import os

OURS = (
    *("ENCODER", "TWELVE", "API_KEY", "QDRANT", "AWS", "BEDROCK", "S3_", "DATA_DIR", "MAX_UPLOAD_MB", "STREAMLIT"),
    *(
        "CLIP",
        "HF_",
        "ACCESS",
        "VIEW",
        "EDIT",
        "API_TOKENS",
        "SESSION_",
        "ALLOWED_HOSTS",
        "FRAME_",
        "LOG_",
        "DATABASE_URL",
        "WORK_IN_APP",
        "WORKER_",
    ),
)


def clean_environ() -> dict[str, str]:
    """Return the environment without this machine's settings for the app."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
