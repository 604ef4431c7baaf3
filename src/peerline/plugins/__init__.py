"""Plugins of the server: found and run as `require` does it, told what happens (docs/plugins.md)."""

from peerline.plugins.hooks import CallNews, Newcomer, Relayed
from peerline.plugins.require import PluginError, require
from peerline.plugins.running import Plugins

__all__ = ["CallNews", "Newcomer", "PluginError", "Plugins", "Relayed", "require"]
