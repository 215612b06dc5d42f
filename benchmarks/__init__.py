"""Speed of the hub beside named peers, measured in one run: `python -m benchmarks`.

Imports hub and models; nothing imports it. A figure is the median of interleaved repeats; ratios
compare figures of the same run, so that a busy machine bends both sides alike.
"""
