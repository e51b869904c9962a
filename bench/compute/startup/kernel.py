name = "Ada"
total = sum([1, 2, 3])
print(f"Hello {name}, {total}")
