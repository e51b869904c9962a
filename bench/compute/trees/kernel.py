# Binary trees: many small records, most of them soon garbage.
SIZE = 6


class Tree:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right


def make(depth):
    if depth == 0:
        return Tree(None, None)
    return Tree(make(depth - 1), make(depth - 1))


def count(tree):
    if tree.left is None:
        return 1
    return 1 + count(tree.left) + count(tree.right)


print(count(make(SIZE + 1)))
long_lived = make(SIZE)
for depth in range(4, SIZE + 1, 2):
    turns = 2 ** (SIZE - depth + 4)
    sum = 0
    for turn in range(turns):
        sum += count(make(depth))
    print(f"{turns} trees of depth {depth}: {sum}")
print(count(long_lived))
