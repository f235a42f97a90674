from hashlib import sha256

import pytest

from hitl.audit.merkle import Tree, leaf_hash


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + root_by_definition(leaves[:split]) + root_by_definition(leaves[split:])).digest()


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert Tree().root() == sha256().digest()


@pytest.mark.parametrize("size", range(1, 40))
def test_the_root_is_that_of_the_rfc(size):
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    assert tree.root() == root_by_definition(leaves)
