"""What several test files need: a model, small and untrained, and a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle of a tiny random network whose answers depend on the picture."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from inktex.decoding.options import SearchOptions
    from inktex.export.onnx import export
    from inktex.models.inktex import InktexModel, InktexOptions
    from inktex.recognition.metadata import Metadata
    from inktex.vocabulary import Vocabulary

    torch.manual_seed(0)
    sizes = InktexOptions((8, 8, 16), (1, 1, 1), 32, layers=2, heads=4, feed_forward=64, coverage_channels=4)
    vocabulary = Vocabulary.build([list("abcdefgh")])
    model = InktexModel(len(vocabulary), sizes).eval()
    with torch.no_grad():
        model.classifier.weight.normal_(std=0.3)
        model.classifier.bias.zero_()[:3] = 2  # answers of moderate length
        for layer in model.layers:
            layer.cross_attention.query.weight.normal_(std=3)
            layer.cross_attention.output.weight.normal_()
            layer.keys_values.weight.normal_()
    search = SearchOptions(width=2, max_length=8, both_ways=True, grammar=True)
    metadata = Metadata("inktex", sizes.max_length, 16.0, 8, both_ways=True, search=search)
    folder = tmp_path_factory.mktemp("bundle") / "model"
    export(model, vocabulary, metadata, folder)
    return folder


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium without a window, with its log of messages and of requests."""
    pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from browser import chromium

    chrome = chromium(tmp_path_factory.mktemp("chromium"))
    if chrome is None:
        pytest.skip("chromium and chromedriver are not installed")
    yield chrome
    chrome.quit()
