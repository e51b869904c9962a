# Sorting ints by hand: quicksort in place.
SIZE = 200


def quicksort(xs, low, high):
    if low >= high:
        return
    pivot = xs[(low + high) // 2]
    i = low
    j = high
    while i <= j:
        while xs[i] < pivot:
            i += 1
        while xs[j] > pivot:
            j -= 1
        if i <= j:
            xs[i], xs[j] = xs[j], xs[i]
            i += 1
            j -= 1
    quicksort(xs, low, j)
    quicksort(xs, i, high)


numbers = []
seed = 42
for i in range(SIZE):
    seed = (seed * 3877 + 29573) % 139968
    numbers.append(seed)
quicksort(numbers, 0, len(numbers) - 1)
checksum = 0
for i, n in enumerate(numbers):
    if i > 0 and numbers[i - 1] > n:
        print(f"not sorted at {i}")
    checksum = (checksum * 31 + n) % 1000003
print(checksum)
