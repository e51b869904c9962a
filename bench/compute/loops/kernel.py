# Integer and float loops: a random generator with its remainders, and the series of Leibniz for pi.
SIZE = 2000


def remainders(n):
    seed = 42
    sum = 0
    for i in range(n):
        seed = (seed * 3877 + 29573) % 139968
        if seed % 3 == 0:
            sum += seed % 1000
        else:
            sum -= i % 7
    return sum


def leibniz(n):
    sum = 0.0
    sign = 1.0
    for k in range(n):
        sum += sign / (2.0 * k + 1.0)
        sign = -sign
    return sum * 4.0


print(remainders(SIZE))
print(f"{leibniz(SIZE):.9f}")
