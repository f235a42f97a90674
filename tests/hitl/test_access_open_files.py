"""The feedback widget is loaded by pages of other origins; nothing else of ours says that it may be."""

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

from hitl.access import open_files


@pytest.fixture
def served(settings, tmp_path):
    """Gets a static file as an installation serves it."""
    for name in ("js/feedback.js", "js/keyboard.js"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(Path(finders.find(name)).read_text())
    settings.STATIC_ROOT = tmp_path
    return lambda url: WhiteNoiseMiddleware(lambda request: None)(RequestFactory().get(url))


def test_the_widget_may_be_loaded_by_any_page_and_kept_for_a_while(served):
    answer = served(open_files.WIDGET)
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "max-age=3600" in answer.headers["Cache-Control"]
    assert answer.headers["ETag"] or answer.headers["Last-Modified"]
    assert "no-store" not in answer.headers["Cache-Control"]


def test_no_other_file_says_that_it_may_be_taken_in(served):
    assert "Cross-Origin-Resource-Policy" not in served("/static/js/keyboard.js").headers


def test_the_widget_is_small_and_needs_nothing():
    text = Path(finders.find("js/feedback.js")).read_text()
    assert len(gzip.compress(text.encode())) < 8_000
    for needed in ("import ", "eval(", "innerHTML", "insertAdjacentHTML", "document.write", "style=", 'setInterval("'):
        assert needed not in text
