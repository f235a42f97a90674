"""The Merkle tree of RFC 6962, grown one leaf at a time."""

import hashlib


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


class Tree:
    """The roots of the complete subtrees, largest first: all that is needed to grow, and to know the root."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        subtrees, carry = self._subtrees, self.size
        while carry & 1:
            leaf = hashlib.sha256(b"\x01" + subtrees.pop() + leaf).digest()
            carry >>= 1
        subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._subtrees:
            return hashlib.sha256().digest()
        *larger, root = self._subtrees
        for subtree in reversed(larger):
            root = hashlib.sha256(b"\x01" + subtree + root).digest()
        return root
