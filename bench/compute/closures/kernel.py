# Functions as values: map, filter and reduce with small lambdas, functions that make and combine functions.
from functools import reduce

SIZE = 3


def compose(f, g):
    return lambda x: g(f(x))


def adder(step):
    sum = 0

    def add(n):
        nonlocal sum
        sum = (sum + n * step) % 1000003
        return sum

    return add


def round_of(numbers, turn):
    scaled = list(map(lambda n: n * 3 + turn, numbers))
    odd = list(filter(lambda n: n % 2 == 1, scaled))
    return reduce(lambda sum, n: (sum + n) % 1000003, odd, 0)


numbers = list(range(1000))
twist = compose(lambda n: n * 7 + 1, lambda n: n % 1009)
add = adder(5)
total = 0
for turn in range(SIZE):
    total += round_of(numbers, turn)
    for n in numbers:
        add(twist(n))
print(total)
print(add(0))
