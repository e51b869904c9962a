# JSON: a writer and a reader of JSON by hand, letter by letter, for values known only at run time.
SIZE = 5


def quote(text):
    out = ['"']
    for c in text:
        if c == '"' or c == "\\":
            out.append("\\" + c)
        elif c == "\n":
            out.append("\\n")
        else:
            out.append(c)
    out.append('"')
    return "".join(out)


def write(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "[" + ",".join([write(item) for item in value]) + "]"
    if isinstance(value, dict):
        parts = []
        for key, item in value.items():
            parts.append(quote(key) + ":" + write(item))
        return "{" + ",".join(parts) + "}"
    return str(value)


class Input:
    """The text, and how far it is read."""

    __slots__ = ("text", "at")

    def __init__(self, text):
        self.text = text
        self.at = 0


def read(text):
    return read_value(Input(text))


def skip_blanks(input):
    while input.text[input.at] == " " or input.text[input.at] == "\n":
        input.at += 1


def read_value(input):
    skip_blanks(input)
    c = input.text[input.at]
    if c == "{":
        return read_map(input)
    if c == "[":
        return read_list(input)
    if c == '"':
        return read_text(input)
    if c == "t":
        return read_word(input, "true", True)
    if c == "f":
        return read_word(input, "false", False)
    if c == "n":
        return read_word(input, "null", None)
    return read_number(input)


def read_word(input, word, value):
    if input.text[input.at : input.at + len(word)] != word:
        raise ValueError(f"expected {word} at {input.at}")
    input.at += len(word)
    return value


def read_number(input):
    start = input.at
    while input.at < len(input.text) and input.text[input.at] in "-0123456789":
        input.at += 1
    return int(input.text[start : input.at])


def read_text(input):
    input.at += 1
    out = []
    while input.text[input.at] != '"':
        c = input.text[input.at]
        if c == "\\":
            input.at += 1
            c = input.text[input.at]
            if c == "n":
                c = "\n"
        out.append(c)
        input.at += 1
    input.at += 1
    return "".join(out)


def read_list(input):
    input.at += 1
    out = []
    skip_blanks(input)
    while input.text[input.at] != "]":
        out.append(read_value(input))
        skip_blanks(input)
        if input.text[input.at] == ",":
            input.at += 1
    input.at += 1
    return out


def read_map(input):
    input.at += 1
    out = {}
    skip_blanks(input)
    while input.text[input.at] != "}":
        key = read_text(input)
        skip_blanks(input)
        input.at += 1
        out[key] = read_value(input)
        skip_blanks(input)
        if input.text[input.at] == ",":
            input.at += 1
            skip_blanks(input)
    input.at += 1
    return out


def make_orders(count):
    orders = []
    seed = 42
    for i in range(count):
        seed = (seed * 3877 + 29573) % 139968
        items = []
        for k in range(seed % 4):
            items.append({"article": f"article {seed % 97 + k}", "price": seed % 1000 + k, "gift": k == 2})
        note = None if seed % 5 == 0 else f'say "{seed}"\nand \\ go'
        orders.append({"id": i, "customer": f"customer {seed % 50}", "paid": seed % 2 == 0, "note": note, "items": items})
    return orders


def turnover(orders):
    """The sum of all prices of paid orders."""
    sum = 0
    for order in orders:
        if order["paid"]:
            for item in order["items"]:
                sum += item["price"]
    return sum


def main():
    text = write(make_orders(SIZE))
    orders = read(text)
    again = write(orders)
    checksum = 0
    for c in again:
        checksum = (checksum * 31 + ord(c)) % 1000003
    same = "true" if text == again else "false"
    print(f"{len(orders)} orders in {len(text)} letters, {same}")
    print(f"{turnover(orders)} {checksum}")


main()
