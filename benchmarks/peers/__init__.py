"""narxkit beside other packages, doing the same work in the same run: ``make peers``.

What a peer cannot do alike is said in the name of its row. Those that are not installed are left
out and named.
"""

from . import accuracy, defects, hurst, speed

SUITES = {
    "peers-speed": speed.SUITE,
    "peers-solar": accuracy.SOLAR,
    "peers-narendra": accuracy.NARENDRA,
    "peers-defects": defects.SUITE,
    "peers-hurst": hurst.SUITE,
}
