# The sieve of Eratosthenes, ten times: a list of bools.
SIZE = 300


def primes_below(n):
    composite = []
    for i in range(n):
        composite.append(False)
    count = 0
    for i in range(2, n):
        if not composite[i]:
            count += 1
            for j in range(i * i, n, i):
                composite[j] = True
    return count


total = 0
for turn in range(10):
    total += primes_below(SIZE - turn)
print(total)
