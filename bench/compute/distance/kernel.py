# Edit distance: the letters of two texts against each other, two rows of a table.
SIZE = 30


def make_word(length, seed):
    letters = "abcdefgh"
    word = []
    for i in range(length):
        seed = (seed * 3877 + 29573) % 139968
        word.append(letters[seed % 8])
    return "".join(word)


def distance(a, b):
    above = list(range(len(b) + 1))
    for i in range(len(a)):
        row = [i + 1]
        for j in range(len(b)):
            cost = 0 if a[i] == b[j] else 1
            row.append(min(min(above[j + 1] + 1, row[j] + 1), above[j] + cost))
        above = row
    return above[len(b)]


print(distance(make_word(SIZE, 42), make_word(SIZE + 10, 7)))
