"""Every public name is exported once, exists, and is seen by type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import peerline


def names_for_type_checkers() -> dict[str, str]:
    """Name by module, as the imports under TYPE_CHECKING say."""
    tree = ast.parse(Path(peerline.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.name: node.module or "" for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def test_what_is_exported_what_type_checkers_see_and_what_is_found_are_the_same() -> None:
    assert sorted(peerline.__all__) == sorted([*names_for_type_checkers(), "__version__"])
    assert len(set(peerline.__all__)) == len(peerline.__all__)


def test_each_name_is_the_object_of_its_module() -> None:
    for name, home in names_for_type_checkers().items():
        assert getattr(peerline, name) is getattr(import_module(home), name)


def test_importing_peerline_alone_imports_no_peer_connections() -> None:
    code = "import sys, peerline; print('peerline.media' in sys.modules or 'peerline.webrtc' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(peerline, "RTCNothing")
    assert "RTCPeerConnection" in dir(peerline)
