-- Functions as values: map, filter and reduce with small lambdas, functions that make and combine functions.
local SIZE = 3

local function map(xs, f)
  local out = {}
  for i = 1, #xs do
    out[i] = f(xs[i])
  end
  return out
end

local function filter(xs, test)
  local out = {}
  for i = 1, #xs do
    if test(xs[i]) then
      out[#out + 1] = xs[i]
    end
  end
  return out
end

local function reduce(xs, start, f)
  for i = 1, #xs do
    start = f(start, xs[i])
  end
  return start
end

local function compose(f, g)
  return function(x) return g(f(x)) end
end

local function adder(step)
  local sum = 0
  return function(n)
    sum = (sum + n * step) % 1000003
    return sum
  end
end

local function round_of(numbers, turn)
  local scaled = map(numbers, function(n) return n * 3 + turn end)
  local odd = filter(scaled, function(n) return n % 2 == 1 end)
  return reduce(odd, 0, function(sum, n) return (sum + n) % 1000003 end)
end

local numbers = {}
for i = 0, 999 do
  numbers[#numbers + 1] = i
end
local twist = compose(function(n) return n * 7 + 1 end, function(n) return n % 1009 end)
local add = adder(5)
local total = 0
for turn = 0, SIZE - 1 do
  total = total + round_of(numbers, turn)
  for _, n in ipairs(numbers) do
    add(twist(n))
  end
end
print(total)
print(add(0))
