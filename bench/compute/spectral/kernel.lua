-- The spectral norm of an infinite matrix: small calls in the inner loop, lists of floats.
local SIZE = 10

local function element(i, j)
  return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

local function multiply(v)
  local n = #v
  local out = {}
  for i = 1, n do
    local sum = 0.0
    for j = 1, n do
      sum = sum + element(i - 1, j - 1) * v[j]
    end
    out[i] = sum
  end
  return out
end

local function multiply_transposed(v)
  local n = #v
  local out = {}
  for i = 1, n do
    local sum = 0.0
    for j = 1, n do
      sum = sum + element(j - 1, i - 1) * v[j]
    end
    out[i] = sum
  end
  return out
end

local function spectral_norm(n)
  local u = {}
  for i = 1, n do
    u[i] = 1.0
  end
  local v = u
  for _ = 1, 10 do
    v = multiply_transposed(multiply(u))
    u = multiply_transposed(multiply(v))
  end
  local upper, lower = 0.0, 0.0
  for i = 1, n do
    upper = upper + u[i] * v[i]
    lower = lower + v[i] * v[i]
  end
  return math.sqrt(upper / lower)
end

print(string.format("%.9f", spectral_norm(SIZE)))
