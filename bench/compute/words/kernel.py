# Word count: a long text split into words, counted in a map, the most frequent first.
SIZE = 300


def make_text(count):
    syllables = ["ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ri", "sa", "tu", "xa"]
    words = []
    seed = 42
    for i in range(count):
        word = ""
        seed = (seed * 3877 + 29573) % 139968
        parts = 1 + seed % 3
        for part in range(parts):
            seed = (seed * 3877 + 29573) % 139968
            word += syllables[seed // 8 % 12]
        words.append(word)
    return " ".join(words)


def count_words(text):
    counts = {}
    for word in text.split(" "):
        counts[word] = counts.get(word, 0) + 1
    return counts


text = make_text(SIZE)
counts = count_words(text)
ranking = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
checksum = 0
for rank, entry in enumerate(ranking):
    checksum = (checksum + entry[1] * (rank + 1)) % 1000003
print(len(text))
print(len(counts))
print(f"{ranking[0][0]} {ranking[0][1]}, {ranking[1][0]} {ranking[1][1]}, {checksum}")
