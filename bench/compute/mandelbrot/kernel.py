# The Mandelbrot set: float arithmetic in registers, with an early way out of the inner loop.
SIZE = 16


def turns(cx, cy, limit):
    x = 0.0
    y = 0.0
    for turn in range(limit):
        xx = x * x
        yy = y * y
        if xx + yy > 4.0:
            return turn
        y = 2.0 * x * y + cy
        x = xx - yy + cx
    return limit


def mandelbrot(size):
    inside = 0
    sum = 0
    for row in range(size):
        cy = 2.0 * row / size - 1.0
        for column in range(size):
            cx = 2.0 * column / size - 1.5
            n = turns(cx, cy, 100)
            sum += n
            if n == 100:
                inside += 1
    print(f"{inside} {sum}")


mandelbrot(SIZE)
