# Permutations: the most flips that bring 0 to the front, over all orders of n numbers.
SIZE = 6


def fannkuch(n):
    perm = [0] * n
    count = [0] * n
    order = list(range(n))
    most = 0
    checksum = 0
    even = True
    r = n
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        for i in range(n):
            perm[i] = order[i]
        flips = 0
        first = perm[0]
        while first != 0:
            low = 1
            high = first - 1
            while low < high:
                perm[low], perm[high] = perm[high], perm[low]
                low += 1
                high -= 1
            next = perm[first]
            perm[first] = first
            first = next
            flips += 1
        if flips > most:
            most = flips
        checksum += flips if even else -flips
        even = not even
        # The next order: rotate ever longer beginnings until one has a turn left.
        while True:
            if r == n:
                return checksum, most
            front = order[0]
            for i in range(r):
                order[i] = order[i + 1]
            order[r] = front
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1


checksum, most = fannkuch(SIZE)
print(f"{checksum} {most}")
