-- The Mandelbrot set: float arithmetic in registers, with an early way out of the inner loop.
local SIZE = 16

local function turns(cx, cy, limit)
  local x, y = 0.0, 0.0
  for turn = 0, limit - 1 do
    local xx = x * x
    local yy = y * y
    if xx + yy > 4.0 then
      return turn
    end
    y = 2.0 * x * y + cy
    x = xx - yy + cx
  end
  return limit
end

local function mandelbrot(size)
  local inside, sum = 0, 0
  for row = 0, size - 1 do
    local cy = 2.0 * row / size - 1.0
    for column = 0, size - 1 do
      local cx = 2.0 * column / size - 1.5
      local n = turns(cx, cy, 100)
      sum = sum + n
      if n == 100 then
        inside = inside + 1
      end
    end
  end
  print(inside .. " " .. sum)
end

mandelbrot(SIZE)
