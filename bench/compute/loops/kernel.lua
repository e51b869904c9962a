-- Integer and float loops: a random generator with its remainders, and the series of Leibniz for pi.
local SIZE = 2000

local function remainders(n)
  local seed, sum = 42, 0
  for i = 0, n - 1 do
    seed = (seed * 3877 + 29573) % 139968
    if seed % 3 == 0 then
      sum = sum + seed % 1000
    else
      sum = sum - i % 7
    end
  end
  return sum
end

local function leibniz(n)
  local sum, sign = 0.0, 1.0
  for k = 0, n - 1 do
    sum = sum + sign / (2.0 * k + 1.0)
    sign = -sign
  end
  return sum * 4.0
end

print(remainders(SIZE))
print(string.format("%.9f", leibniz(SIZE)))
