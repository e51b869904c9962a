# Texts: appending, walking letter by letter, slicing, interpolation, split, join, upper case, replace.
SIZE = 2


def make_text(length, seed):
    letters = "aabcd ef"
    text = []
    for i in range(length):
        seed = (seed * 3877 + 29573) % 139968
        text.append(letters[seed // 16 % 8])
    return "".join(text)


def run_lengths(text):
    out = []
    i = 0
    while i < len(text):
        run = 1
        while i + run < len(text) and text[i + run] == text[i]:
            run += 1
        if run > 1:
            out.append(f"{run}{text[i]}")
        else:
            out.append(text[i])
        i += run
    return "".join(out)


def palindromes(text):
    count = 0
    for middle in range(1, len(text) - 1):
        reach = 1
        while middle - reach >= 0 and middle + reach < len(text) and text[middle - reach] == text[middle + reach]:
            count += 1
            reach += 1
    return count


def capitals(text):
    words = []
    for word in text.split(" "):
        if len(word) > 1:
            words.append(word[:1].upper() + word[1:])
        else:
            words.append(word)
    return "-".join(words)


def checksum(text):
    sum = 0
    for i in range(len(text)):
        sum = (sum * 31 + ord(text[i])) % 1000003
    return sum


found = 0
sum = 0
for turn in range(SIZE):
    text = make_text(1000, turn)
    short = run_lengths(text)
    loud = capitals(short).replace("a", "[a]")
    found += palindromes(text)
    sum = (sum + checksum(loud)) % 1000003
print(found)
print(sum)
