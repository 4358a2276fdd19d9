"""Doing: run loop, workers, kernels, blocks, formats, back ends."""
