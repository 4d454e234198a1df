"""What is written down: as people or programs read it, with its request, and without a secret."""

import io
import json
import logging

import pytest

from core.errors import SettingsError
from core.logs import OURS, LogPolicy, configure, read, request_id


@pytest.fixture
def written():
    """Return a way to configure, and the stream; all is as before afterwards."""
    before = [(logging.getLogger(n), logging.getLogger(n).handlers[:], logging.getLogger(n).level) for n in OURS]
    stream = io.StringIO()
    yield lambda policy, *hidden: configure(policy, hidden, stream) or stream
    for logger, handlers, level in before:
        logger.handlers, logger.propagate = handlers, True
        logger.setLevel(level)


def test_a_line_of_json_has_its_request_and_no_secret(written):
    stream = written(LogPolicy(format="json"), "tlk_secret", None, "x")
    token = request_id.set("abc12345")
    try:
        logging.getLogger("core.serving.watch").info(
            "answered by tlk_secret", extra={"route": "/search", "status": 200, "who": "tlk_secret"}
        )
        try:
            raise ValueError("the key is tlk_secret")
        except ValueError:
            logging.getLogger("pages.x").exception("It failed")
    finally:
        request_id.reset(token)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["message"], first["route"], first["status"]) == ("answered by •••", "/search", 200)
    assert {first["request"], second["request"]} == {"abc12345"}
    assert "Traceback" in second["message"]
    assert "tlk_secret" not in stream.getvalue()


def test_a_line_for_people(written):
    stream = written(LogPolicy("warning"), "tlk_secret")
    logging.getLogger("core.x").info("too little to say")
    logging.getLogger("core.x").warning("tlk_secret is refused")
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("WARNING core.x: ••• is refused")


def test_configured_again_it_writes_once(written):
    written(LogPolicy())
    stream = written(LogPolicy())
    logging.getLogger("core.x").warning("once")
    assert stream.getvalue().count("once") == 1


def test_a_wrong_setting_is_said():
    assert read({"LOG_FORMAT": "JSON"}.get) == LogPolicy("info", "json")
    for name in ("LOG_LEVEL", "LOG_FORMAT"):
        with pytest.raises(SettingsError, match=name):
            read({name: "loud"}.get)
