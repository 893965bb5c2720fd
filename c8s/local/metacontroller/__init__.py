"""Metacontroller's contract, kept on one machine."""
