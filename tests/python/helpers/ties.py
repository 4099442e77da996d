"""Who comes first of equally similar users, in whole numbers of Python."""

import hashlib

ALL_BITS = 2**64 - 1


def key_of(text) -> int:
    """Return the tie key of a handle: the first sixty bits of its MD5 sum."""
    return int.from_bytes(hashlib.md5(str(text).encode()).digest()[:8], "big") >> 4


def tie_order(key: int, other_key: int) -> int:
    """Mix the bits of the exclusive or of two keys, as SplitMix64 does."""
    mixed = int(key) ^ int(other_key)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        mixed = (mixed ^ (mixed >> shift)) * factor & ALL_BITS
    return mixed


def order_of_handles(handle, other) -> int:
    """Return what orders the other on the list of the user with the first handle."""
    return tie_order(key_of(handle), key_of(other))
