# The spectral norm of an infinite matrix: small calls in the inner loop, lists of floats.
from math import sqrt

SIZE = 10


def element(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def multiply(v):
    n = len(v)
    out = []
    for i in range(n):
        sum = 0.0
        for j in range(n):
            sum += element(i, j) * v[j]
        out.append(sum)
    return out


def multiply_transposed(v):
    n = len(v)
    out = []
    for i in range(n):
        sum = 0.0
        for j in range(n):
            sum += element(j, i) * v[j]
        out.append(sum)
    return out


def spectral_norm(n):
    u = [1.0] * n
    v = u
    for turn in range(10):
        v = multiply_transposed(multiply(u))
        u = multiply_transposed(multiply(v))
    upper = 0.0
    lower = 0.0
    for i in range(n):
        upper += u[i] * v[i]
        lower += v[i] * v[i]
    return sqrt(upper / lower)


print(f"{spectral_norm(SIZE):.9f}")
