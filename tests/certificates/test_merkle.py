"""The tree of RFC 9162 against the RFC's own words, written down naively, and the known answers of RFC 6962's trees."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from agent.certificates import merkle

# The eight leaves that implementations of RFC 6962 are tried with, and the roots of the first 1 to 8 of them.
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(leaves):
    """2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def naive_path(m, leaves):
    """2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive(leaves[:k])]


def naive_subproof(m, leaves, whole):
    """2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [naive(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive(leaves[:k])]


def tree(leaves, batches=()):
    """A tree grown in ``batches`` of leaves, as the log grows."""
    nodes, size = {}, 0
    for count in (*batches, len(leaves)):
        some = leaves[size : size + count]
        nodes |= merkle.append(size, {n: nodes[n] for n in merkle.edge(size)}, [merkle.leaf_hash(x) for x in some])
        size += len(some)
    return lambda wanted: {node: nodes[node] for node in wanted}


def test_known_answers():
    assert naive([]).hex() == merkle.EMPTY.hex() == sha256(b"").hexdigest()
    read = tree(LEAVES)
    assert [merkle.root(size, read).hex() for size in range(1, 9)] == ROOTS


leaves_ = st.lists(st.binary(max_size=4), min_size=1, max_size=70)


@given(leaves_, st.lists(st.integers(0, 20), max_size=6), st.data())
def test_however_it_grew_it_is_the_tree_of_the_rfc(leaves, batches, data):
    read, size = tree(leaves, batches), len(leaves)
    first = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, size - 1))
    assert merkle.root(first, read) == naive(leaves[:first])
    path, tree_root = merkle.inclusion(index, size, read), naive(leaves)
    assert path == naive_path(index, leaves)
    assert merkle.verify_inclusion(merkle.leaf_hash(leaves[index]), index, size, path, tree_root)
    proof = merkle.consistency(first, size, read)
    assert proof == (naive_subproof(first, leaves, True) if first < size else [])
    assert merkle.verify_consistency(first, size, naive(leaves[:first]), tree_root, proof)


@given(leaves_, st.data())
def test_nothing_else_is_proved(leaves, data):
    read, size = tree(leaves), len(leaves)
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    leaf, root = merkle.leaf_hash(leaves[index]), merkle.root(size, read)
    path, proof = merkle.inclusion(index, size, read), merkle.consistency(first, size, read)
    old = merkle.root(first, read)
    other = b"\x55" * 32
    assert not merkle.verify_inclusion(other, index, size, path, root)
    assert not merkle.verify_inclusion(leaf, index, size, path, other)
    assert not merkle.verify_inclusion(leaf, index, size, [*path, other], root)
    assert not merkle.verify_inclusion(leaf, size, size, path, root)
    assert not merkle.verify_consistency(first, size, other, root, proof)
    assert not merkle.verify_consistency(first, size, old, other, proof)
    assert not merkle.verify_consistency(first, size, old, root, [*proof, other])
    for place in range(len(path)):
        assert not merkle.verify_inclusion(leaf, index, size, [*path[:place], other, *path[place + 1 :]], root)
    for place in range(len(proof)):
        assert not merkle.verify_consistency(first, size, old, root, [*proof[:place], other, *proof[place + 1 :]])


@given(st.integers(1, 10**9), st.data())
def test_a_proof_reads_few_nodes(size, data):
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    asked = []

    def read(nodes):
        nodes = list(nodes)
        asked.append(len(nodes))
        return dict.fromkeys(nodes, b"\x00" * 32)

    merkle.inclusion(index, size, read)
    merkle.consistency(first, size, read)
    assert all(count <= 2 * size.bit_length() for count in asked)
