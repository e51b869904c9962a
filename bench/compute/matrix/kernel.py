# The product of two matrices: lists of lists of floats.
SIZE = 10


def make_matrix(n, scale):
    rows = []
    for i in range(n):
        row = []
        for j in range(n):
            row.append(scale * (i - j) * (i + j) / n)
        rows.append(row)
    return rows


def product(a, b):
    n = len(a)
    rows = []
    for i in range(n):
        row = []
        for j in range(n):
            sum = 0.0
            for k in range(n):
                sum += a[i][k] * b[k][j]
            row.append(sum)
        rows.append(row)
    return rows


c = product(make_matrix(SIZE, 0.5), make_matrix(SIZE, 2.0))
trace = 0.0
for i, row in enumerate(c):
    trace += row[i]
print(f"{c[3][4]:.3f}")
print(f"{trace:.3f}")
