# Records: balls in a box, whose places and speeds are small records made anew in each step.
SIZE = 10


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


class Ball:
    __slots__ = ("name", "place", "speed", "bounces")

    def __init__(self, name, place, speed):
        self.name = name
        self.place = place
        self.speed = speed
        self.bounces = 0


def plus(a, b):
    return Vector(a.x + b.x, a.y + b.y)


def times(a, factor):
    return Vector(a.x * factor, a.y * factor)


def make_balls(count):
    balls = []
    seed = 42
    for i in range(count):
        seed = (seed * 3877 + 29573) % 139968
        speed = Vector(seed % 100 / 50.0 - 1.0, seed % 70 / 35.0 - 1.0)
        balls.append(Ball(i, Vector(0.5, seed / 139968.0), speed))
    return balls


def step(balls, time):
    for ball in balls:
        ball.place = plus(ball.place, times(ball.speed, time))
        if ball.place.x < 0.0 or ball.place.x > 1.0:
            ball.speed = Vector(-ball.speed.x, ball.speed.y)
            ball.bounces += 1
        if ball.place.y < 0.0 or ball.place.y > 1.0:
            ball.speed = Vector(ball.speed.x, -ball.speed.y)
            ball.bounces += 1


balls = make_balls(100)
for turn in range(SIZE):
    step(balls, 0.01)
bounces = 0
sum = 0.0
for ball in balls:
    bounces += ball.bounces * (ball.name + 1)
    sum += ball.place.x + ball.place.y
print(bounces)
print(f"{sum:.9f}")
