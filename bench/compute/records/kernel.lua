-- Records: balls in a box, whose places and speeds are small records made anew in each step.
local SIZE = 10

local function vector(x, y)
  return { x = x, y = y }
end

local function plus(a, b)
  return vector(a.x + b.x, a.y + b.y)
end

local function times(a, factor)
  return vector(a.x * factor, a.y * factor)
end

local function make_balls(count)
  local balls = {}
  local seed = 42
  for i = 0, count - 1 do
    seed = (seed * 3877 + 29573) % 139968
    local speed = vector(seed % 100 / 50.0 - 1.0, seed % 70 / 35.0 - 1.0)
    balls[#balls + 1] = { name = i, place = vector(0.5, seed / 139968.0), speed = speed, bounces = 0 }
  end
  return balls
end

local function step(balls, time)
  for _, ball in ipairs(balls) do
    ball.place = plus(ball.place, times(ball.speed, time))
    if ball.place.x < 0.0 or ball.place.x > 1.0 then
      ball.speed = vector(-ball.speed.x, ball.speed.y)
      ball.bounces = ball.bounces + 1
    end
    if ball.place.y < 0.0 or ball.place.y > 1.0 then
      ball.speed = vector(ball.speed.x, -ball.speed.y)
      ball.bounces = ball.bounces + 1
    end
  end
end

local balls = make_balls(100)
for _ = 1, SIZE do
  step(balls, 0.01)
end
local bounces, sum = 0, 0.0
for _, ball in ipairs(balls) do
  bounces = bounces + ball.bounces * (ball.name + 1)
  sum = sum + (ball.place.x + ball.place.y)
end
print(bounces)
print(string.format("%.9f", sum))
